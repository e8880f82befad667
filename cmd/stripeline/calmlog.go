package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// calmEvery is how often the same trouble is told: a broker that is away is tried several times a second.
const calmEvery = 30 * time.Second

// calmLog tells each message once and then not again for calmEvery. Debugging is not calmed.
type calmLog struct {
	slog.Handler
	told *lastTold
}

type lastTold struct {
	mu sync.Mutex
	at map[string]time.Time
}

// calm makes a logger that does not repeat itself.
func calm(logger *slog.Logger) *slog.Logger {
	return slog.New(calmLog{logger.Handler(), &lastTold{at: make(map[string]time.Time)}})
}

// Handle implements slog.Handler.
func (h calmLog) Handle(ctx context.Context, r slog.Record) error {
	if !h.Enabled(ctx, slog.LevelDebug) && h.told.lately(r) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h calmLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return calmLog{h.Handler.WithAttrs(attrs), h.told}
}

// WithGroup implements slog.Handler.
func (h calmLog) WithGroup(name string) slog.Handler {
	return calmLog{h.Handler.WithGroup(name), h.told}
}

func (l *lastTold) lately(r slog.Record) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, ok := l.at[r.Message]; ok && r.Time.Sub(at) < calmEvery {
		return true
	}
	l.at[r.Message] = r.Time
	return false
}
