// Package ptytest gives tests a terminal to sit at.
package ptytest
