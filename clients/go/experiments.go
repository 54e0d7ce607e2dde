package accrete

import (
	"crypto/sha256"
	"encoding/binary"
)

// Point is where a unit (a user id, usually) lies in [0, 2^32), as the server computes it: the first 4 bytes, big-endian,
// of SHA-256 of salt, NUL and unit.
func Point(salt, unit string) uint32 {
	digest := sha256.Sum256([]byte(salt + "\x00" + unit))
	return binary.BigEndian.Uint32(digest[:])
}
