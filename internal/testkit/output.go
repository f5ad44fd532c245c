package testkit

import (
	"bytes"
	"sync"
)

// Output is what several goroutines or a process write, such as a log. It may be read while that goes on. The zero
// Output is empty.
type Output struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
