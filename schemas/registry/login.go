package registry

import (
	"bufio"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"
)

// Access is what a user may do. More includes less.
type Access byte

// Kinds of access.
const (
	NoAccess Access = iota
	ReadOnly
	ReadWrite
)

// User is one line of an htpasswd file.
type User struct {
	Name   string
	Hash   []byte // bcrypt
	Access Access
}

// ParseUsers reads an htpasswd file (name:hash per line, # begins a comment), all of whose users get the same access.
// Only bcrypt hashes are taken (htpasswd -B). Errors name the line, never the hash.
func ParseUsers(htpasswd string, access Access) ([]User, error) {
	var users []User
	lines := bufio.NewScanner(strings.NewReader(htpasswd))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, hash, ok := strings.Cut(line, ":")
		if !ok || name == "" {
			return nil, fmt.Errorf("read htpasswd line %d: not name:hash", number)
		}
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			return nil, fmt.Errorf("read htpasswd line %d: the hash of user %q is not bcrypt; make it with htpasswd -B", number, name)
		}
		users = append(users, User{Name: name, Hash: []byte(hash), Access: access})
	}
	return users, lines.Err()
}

// logins checks passwords. bcrypt is slow by design, so a password that was right is remembered, as a keyed hash, and no
// more than a few are checked at once.
type logins struct {
	users map[string]User
	dummy []byte // checked for unknown users, so that they take as long
	key   []byte
	turns chan struct{}
	mu    sync.Mutex
	right map[string][32]byte // keyed hash of the right password, by user
}

func newLogins(users []User) *logins {
	l := &logins{users: map[string]User{}, key: make([]byte, 32), turns: make(chan struct{}, 2), right: map[string][32]byte{}}
	_, _ = rand.Read(l.key) // never fails
	for _, u := range users {
		l.users[u.Name] = u
		l.dummy = u.Hash
	}
	return l
}

// who returns what the request's user may do; everything where there are no users.
func (l *logins) who(req *http.Request) (Access, error) {
	if len(l.users) == 0 {
		return ReadWrite, nil
	}
	name, password, given := req.BasicAuth()
	if !given || len(password) > 72 { // more than bcrypt reads
		return NoAccess, httpFault(http.StatusUnauthorized, "Unauthorized")
	}
	user, known := l.users[name]
	if known && l.remembers(name, password) {
		return user.Access, nil
	}
	hash := user.Hash
	if !known {
		hash = l.dummy
	}
	select {
	case l.turns <- struct{}{}:
	case <-req.Context().Done():
		return NoAccess, httpFault(http.StatusUnauthorized, "Unauthorized")
	}
	err := bcrypt.CompareHashAndPassword(hash, []byte(password))
	<-l.turns
	if err != nil || !known {
		return NoAccess, httpFault(http.StatusUnauthorized, "Unauthorized")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.right[name] = l.keyed(password)
	return user.Access, nil
}

func (l *logins) remembers(name, password string) bool {
	l.mu.Lock()
	right, ok := l.right[name]
	l.mu.Unlock()
	got := l.keyed(password)
	return ok && hmac.Equal(right[:], got[:])
}

func (l *logins) keyed(password string) [32]byte {
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(password))
	return [32]byte(mac.Sum(nil))
}
