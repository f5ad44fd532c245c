package main

import "github.com/spf13/cobra"

// environmentTopic is help about the variables that a user may set. It runs nothing.
func environmentTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "environment",
		Short: "The environment variables that shsession reads",
		Long: `SH_PROFILE
    The profile in config.toml that is used when --profile names none.

SH_CLIENT_ID, SH_CLIENT_SECRET
    The credentials, used instead of those in config.toml.

SH_CLIENT_SECRET_FILE
    A file of one line, which is the secret.

SH_CLIENT_SECRET_COMMAND
    A command of the shell that prints the secret, run before each login.
    If the command, the file or the keyring of the secret fails, the exit
    code is 1, since a later run may succeed. It is 3 for credentials that
    are refused or that nobody has set.

SH_BASE_URL, SH_TOKEN_URL
    The service and its token endpoint.

SHSESSION_NAME
    The segment that token, headers, info and collect read by default.
    share sets it for its command.

SHSESSION_REDIS_PASSWORD, SHSESSION_REDIS_PASSWORD_FILE
    The password for Redis, or a file that holds it.

SHSESSION_REDIS_SENTINEL_PASSWORD,
SHSESSION_REDIS_SENTINEL_PASSWORD_FILE
    The same for the Sentinels of Redis.

SHSESSION_STORE_KEY, SHSESSION_STORE_KEY_FILE
    The key that encrypts tokens in Redis, or a file that holds it.

HTTPS_PROXY, ALL_PROXY, NO_PROXY
    The HTTP proxy for requests, and the hosts that need no proxy.

SSL_CERT_FILE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE
    A file of further certificate authorities.

NO_COLOR
    Any value means that status --watch shows no colours.

XDG_CONFIG_HOME
    The directory of sentinelhub/config.toml (default: ~/.config).
    The Python package reads the same file.`,
	}
}
