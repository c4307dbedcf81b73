// Package throwaway starts a PostgreSQL for a test or a benchmark and removes it afterwards.
//
// BOLE_POSTGRES names one that runs already (postgres://user@host/name, whose user may make databases); else a private one is started
// from Debian's binaries, or those on the PATH, in a folder of its own under the system's temporary folder. It listens on a Unix
// socket in that folder and on no network, and runs as an ordinary user where the caller is root, since PostgreSQL refuses root.
//
// A supervisor, a few lines of shell, holds the other end of a pipe from this process. When the pipe closes, because Close was called
// or because the process ended in whatever way, it stops the database and removes the folder: nothing is left behind.
package throwaway
