/**
 * The version of the front end: that of the server part that it is installed with.
 */
export const VERSION = '0.1.0';
