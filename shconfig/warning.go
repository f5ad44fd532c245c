package shconfig

import (
	"fmt"
	"io/fs"
)

// holdsSecret reports whether any profile has a client secret. The file that the
// Python package makes by itself, of mode 0644, has none.
func holdsSecret(data map[string]any) bool {
	for _, value := range data {
		if profile, ok := value.(map[string]any); ok {
			if secret, ok := profile[string(ClientSecret)].(string); ok && secret != "" {
				return true
			}
		}
	}
	return false
}

func openWarning(path string, info fs.FileInfo) string {
	return fmt.Sprintf("%s holds a secret and is open to other users (mode %04o): chmod 600 %[1]s", path, info.Mode().Perm())
}
