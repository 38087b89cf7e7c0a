/** One file with a certificate, its key and its authority (PKCS #12, RFC 7292), for devices that import only that. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import * as asn1 from 'asn1js';
import * as pki from 'pkijs';
import type { Identity } from './authority.ts';

/** As OpenSSL 3 writes it: older programs than that, and Windows before 2019, cannot read anything better than RC2. */
const ENCRYPTION = {
  contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 },
  hmacHashAlgorithm: 'SHA-256',
  iterationCount: 10_000,
} as const;

/** OIDs of PKCS #9 and #12. */
const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3';

const WITH_PASSWORD = 0;
const ENCRYPTED = 1;

/** `name` is what people see when they import it; `passphrase` is asked of them. */
export async function createPkcs12(
  identity: Identity,
  authority: string,
  name: string,
  passphrase: string,
): Promise<Buffer> {
  const password = new Uint8Array(Buffer.from(passphrase, 'utf8')).buffer;
  const keyBag = new pki.PKCS8ShroudedKeyBag({ parsedValue: privateKeyOf(identity.key) });
  await keyBag.makeInternalValues({ password, ...ENCRYPTION });
  const attributes = attributesOf(name);
  const own = new pki.CertBag({ parsedValue: certificateOf(identity.certificate) });
  const issuer = new pki.CertBag({ parsedValue: certificateOf(authority) });
  const bags = (...safeBags: pki.SafeBag[]) => ({
    privacyMode: ENCRYPTED,
    value: new pki.SafeContents({ safeBags }),
  });
  const authenticatedSafe = new pki.AuthenticatedSafe({
    parsedValue: {
      safeContents: [
        bags(
          new pki.SafeBag({ bagId: CERTIFICATE_BAG, bagValue: own, bagAttributes: attributes }),
          new pki.SafeBag({ bagId: CERTIFICATE_BAG, bagValue: issuer }),
        ),
        {
          privacyMode: 0,
          value: new pki.SafeContents({
            safeBags: [
              new pki.SafeBag({ bagId: SHROUDED_KEY_BAG, bagValue: keyBag, bagAttributes: attributes }),
            ],
          }),
        },
      ],
    },
  });
  await authenticatedSafe.makeInternalValues({ safeContents: [{ password, ...ENCRYPTION }, {}] });
  const file = new pki.PFX({ parsedValue: { integrityMode: WITH_PASSWORD, authenticatedSafe } });
  await file.makeInternalValues({
    password,
    iterations: ENCRYPTION.iterationCount,
    pbkdf2HashAlgorithm: { name: 'SHA-256' },
    hmacHashAlgorithm: ENCRYPTION.hmacHashAlgorithm,
  });
  return Buffer.from(file.toSchema().toBER());
}

/** They tie the key to its certificate, and give both a name. */
function attributesOf(name: string): pki.Attribute[] {
  return [
    new pki.Attribute({
      type: LOCAL_KEY_ID,
      values: [new asn1.OctetString({ valueHex: new Uint8Array([1]) })],
    }),
    new pki.Attribute({ type: FRIENDLY_NAME, values: [new asn1.BmpString({ value: name })] }),
  ];
}

function privateKeyOf(key: string): pki.PrivateKeyInfo {
  const bytes = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
  return pki.PrivateKeyInfo.fromBER(new Uint8Array(bytes));
}

function certificateOf(pem: string): pki.Certificate {
  return pki.Certificate.fromBER(new Uint8Array(new X509Certificate(pem).raw));
}
