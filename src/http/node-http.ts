/**
 * `node:http` without what it brings along as an ES module. Its exports are all looked at then, those of the browser's
 * interfaces among them, and the first look at one loads undici: 30 ms of a start, and of every command that asks the
 * daemon something (Node.js 26).
 */
export const { createServer, request, STATUS_CODES } = process.getBuiltinModule('node:http');
