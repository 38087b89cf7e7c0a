/** Which bailiff this is. package.json is the one place that says so. */
import metadata from '../../package.json' with { type: 'json' };

/** As in package.json, `0.1.0`. */
export const VERSION: string = metadata.version;
