// Package soak tests everything together, for long, and at random: sharers, members, stores
// and the identity service are killed, stopped, cut off, and starved of descriptors and
// space, while programs ask for tokens.
//
// The test runs under SHSESSION_SOAK, for ten minutes or for the duration that this
// variable says, such as 3m.
package soak
