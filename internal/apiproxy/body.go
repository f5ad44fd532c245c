package apiproxy

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// maxReplayed is the size of the largest body that is read before it is sent, so that it can be sent again.
const maxReplayed = 1 << 20

// replayable returns the request with a body that can be sent once more, if that is short enough and of
// known length. Any other streams, and the answer may begin before it has ended.
func replayable(w http.ResponseWriter, r *http.Request) (*http.Request, *answer) {
	if r.ContentLength == 0 {
		return r, nil
	}
	if r.ContentLength < 0 || r.ContentLength > maxReplayed {
		_ = http.NewResponseController(w).EnableFullDuplex() // which only HTTP/1 needs and knows
		return r, nil
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		w.Header().Set("Connection", "close")
		return nil, &answer{http.StatusBadRequest, "PROXY_BODY", "The request's body broke off."}
	}
	r = r.WithContext(r.Context()) // a copy: the handler's own isn't to be changed
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	r.Body, _ = r.GetBody()
	return r, nil
}

// bufferSize is that of the buffers which bodies are copied through.
const bufferSize = 32 << 10

// A bufferPool is an httputil.BufferPool.
type bufferPool struct{ pool sync.Pool }

func (b *bufferPool) Get() []byte {
	if buf, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return buf[:]
	}
	return make([]byte, bufferSize)
}

func (b *bufferPool) Put(buf []byte) { b.pool.Put((*[bufferSize]byte)(buf)) }
