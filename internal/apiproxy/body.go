package apiproxy

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// maxReplayed is the size of the largest body that is read before it is sent, so that it can be sent again.
const maxReplayed = 1 << 20

// replayable returns the request with a body that can be sent a second time, if the body is short enough
// and of known length. Any other body streams, and the answer may begin before the body has ended.
func replayable(w http.ResponseWriter, r *http.Request) (*http.Request, *answer) {
	if r.ContentLength == 0 {
		return r, nil
	}
	if r.ContentLength < 0 || r.ContentLength > maxReplayed {
		_ = http.NewResponseController(w).EnableFullDuplex() // only HTTP/1 needs and has this
		return r, nil
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		w.Header().Set("Connection", "close")
		return nil, &answer{http.StatusBadRequest, "PROXY_BODY", "The request's body broke off."}
	}
	r = r.WithContext(r.Context()) // a copy: the handler's own isn't to be changed
	body := func() io.ReadCloser { return io.NopCloser(bytes.NewReader(data)) }
	r.Body, r.GetBody = body(), func() (io.ReadCloser, error) { return body(), nil }
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
