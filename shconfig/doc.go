// Package shconfig reads and writes the configuration of the Python package
// sentinelhub: the profiles in config.toml and the SH_* environment. Who has
// used that package is already set up.
//
// [Load] answers with the settings in force, each with the place it came from:
//
//	p, err := shconfig.Load(shconfig.Options{})
//	session, err := shsession.New(p.Config())
//
// [Update] edits the file, taking turns with other processes; [Open] reads it to be
// looked at or edited. Nothing is written before [File.Save], and Load never writes: the Python package creates a missing file while reading, this one
// does not.
//
// # Precedence
//
// Arguments come first ([Options]), then the environment, then the profile in
// the file, then the defaults of the Python package. In the environment,
//
//	SH_PROFILE             the profile, if no argument names one
//	SH_CLIENT_ID           sh_client_id
//	SH_CLIENT_SECRET       sh_client_secret
//	SH_CLIENT_SECRET_FILE  a file that holds it: a container's secret
//	SH_BASE_URL            sh_base_url
//	SH_TOKEN_URL           sh_token_url
//
// A variable that is set but empty counts as unset. In the Python package, which
// knows the first three, an empty one counts as set.
//
// # Pairs
//
// Credentials of one service are refused by the other, so base URL and token URL
// belong together. When an argument or the environment names the base URL of a
// known service and the token URL left over from below is another known
// service's, the token URL follows the base URL. What the file says is never
// corrected: a mixed pair there is a warning ([shsession.MixedPair]).
//
// A base URL of a service that is not known needs a token URL of its own, from the
// same layer or, unless it is a known service's, from below. Without one TokenURL is
// empty and [shsession.New] refuses the configuration, where the Python package would
// send the secret to Sentinel Hub. Who does log in at Sentinel Hub for such a service
// has to say so: [File.Set] stores that token URL, though it is the default. The Python
// package leaves it out when it saves the profile; then SH_TOKEN_URL says it.
package shconfig
