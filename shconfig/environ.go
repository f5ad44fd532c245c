package shconfig

import (
	"os"

	"github.com/shsession/shsession/internal/envsecret"
)

// The variables of a client's secret. At most one of them may be set.
const (
	secretVariable = "SH_CLIENT_SECRET"
	fileVariable   = secretVariable + "_FILE"
)

// environment reads the SH_* variables. With wantSecret false it leaves out the
// secret and opens no secret file. It doesn't run a command that prints the secret: then the
// secret is empty, and its source is SourceCommand.
func environment(wantSecret bool) (s Settings, source func(Key) string, warnings []string, err error) {
	s = Settings{
		ClientID: os.Getenv("SH_CLIENT_ID"),
		BaseURL:  os.Getenv("SH_BASE_URL"),
		TokenURL: os.Getenv("SH_TOKEN_URL"),
	}
	names := map[Key]string{
		ClientID:     "SH_CLIENT_ID",
		ClientSecret: secretVariable,
		BaseURL:      "SH_BASE_URL",
		TokenURL:     "SH_TOKEN_URL",
	}
	source = func(k Key) string { return names[k] }
	if !wantSecret {
		return s, source, nil, nil
	}
	if isCommand, err := envsecret.IsCommand(secretVariable); isCommand || err != nil {
		names[ClientSecret] = SourceCommand
		return s, source, nil, err
	}
	secret, err := envsecret.Read(secretVariable)
	if err != nil {
		return s, source, nil, err
	}
	s.ClientSecret, names[ClientSecret] = secret.Secret, secret.Variable
	if secret.Info != nil && openToOthers(secret.Info) {
		// Only a warning: the files that containers mount are of mode 0644, behind symbolic links.
		warnings = []string{openWarning(secret.Path, secret.Info)}
	}
	return s, source, warnings, nil
}
