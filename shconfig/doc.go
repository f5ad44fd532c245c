// Package shconfig reads and writes the configuration of the Python package
// sentinelhub: the profiles in config.toml and the SH_* environment. A user of
// that package needs no further setup.
//
// [Load] returns the settings in force, each with its source:
//
//	p, err := shconfig.Load(shconfig.Options{})
//	session, err := shsession.New(p.Config())
//
// [Update] edits the file, taking turns with other processes. [Open] reads the file to look
// at it or to edit it. Only [File.Save] writes the file. The Python package creates a missing
// file while reading; this package doesn't.
//
// # Precedence
//
// Arguments come first ([Options]), then the environment, then the profile in
// the file, then the defaults of the Python package. In the environment,
//
//	SH_PROFILE                the profile, if no argument names one
//	SH_CLIENT_ID              sh_client_id
//	SH_CLIENT_SECRET          sh_client_secret
//	SH_CLIENT_SECRET_FILE     a file that holds it: a container's secret
//	SH_CLIENT_SECRET_COMMAND  a command that prints it: a password manager's
//	SH_BASE_URL               sh_base_url
//	SH_TOKEN_URL              sh_token_url
//
// A variable that is set but empty counts as unset. In the Python package, which
// knows the first three, an empty one counts as set.
//
// # Where the secret is
//
// A secret can be in the keyring of the user's system: then sh_client_secret is
// [KeyringSecret], which the command "shsession login --keyring" writes. It can be what
// the command in SH_CLIENT_SECRET_COMMAND prints. Neither is asked by Load, but by
// [Profile.Secret], and by a session of [Profile.Config] before each login. A session also
// reads a file again, so that the secret can be changed while the program runs.
//
// # Pairs
//
// Each service refuses the other's credentials, so base URL and token URL belong
// together. If an argument or the environment names the base URL of a known service,
// and the token URL of a lower layer is another known service's, the token URL follows
// the base URL. The file is never corrected: a mixed pair in it is a warning
// ([shsession.MixedPair]).
//
// A base URL of an unknown service needs a token URL of its own, from the same layer or,
// unless it is a known service's, from a lower layer. Without one, TokenURL is empty and
// [shsession.New] refuses the configuration; the Python package would send the secret to
// Sentinel Hub. For an unknown service whose clients log in at Sentinel Hub, set that token
// URL: [File.Set] stores it, though it is the default. The Python package leaves it out when
// it saves the profile; then set SH_TOKEN_URL.
package shconfig
