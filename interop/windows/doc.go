// Package windows holds the tests of Windows against Python for Windows with the package
// sentinelhub, neither of them changed. The script test runs them, and the other packages'
// tests, under Wine. At full size, with 64 processes, 50 kills of whoever logs in and 20,000
// reads beside a writer, they run with
//
//	SHSESSION_SOAK=1 interop/windows/test
//
// and those alone with
//
//	SHSESSION_SOAK=1 interop/windows/test -v -timeout 1h \
//		-run 'TestManyProcessesOneLogin|TestKillTheLoginHolder|TestReadersOfAWriter' . ./internal/dirstore
package windows
