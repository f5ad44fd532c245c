package shsession

// Version is this module's version, as sent in the User-Agent header.
const Version = "0.1.0"
