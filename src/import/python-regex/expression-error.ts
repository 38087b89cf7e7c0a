/** An expression that cannot be carried over; the message says why, for the report. */
export class ExpressionError extends Error {}
