// Package tty changes how a terminal reads keys, and stops a process that has changed that. It is
// for Unix; on Windows it is empty.
package tty
