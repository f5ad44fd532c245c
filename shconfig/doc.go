// Package shconfig reads and writes the configuration of the Python package
// sentinelhub: the profiles in config.toml and the SH_* environment. Who has
// used that package is already set up.
//
// [Load] answers with the settings in force, each with the place it came from:
//
//	p, err := shconfig.Load(shconfig.Options{})
//	session, err := shsession.New(p.Config())
//
// [Open] edits the file. Nothing is written before [File.Save], and Load never
// writes: the Python package creates a missing file while reading, this one
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
// corrected: a mixed pair there is a warning ([MixedPair]).
package shconfig
