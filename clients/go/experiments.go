package accrete

import (
	"crypto/sha256"
	"encoding/binary"

	"accrete.example/accrete/accretev1"
)

// Point is where a unit (a user id, usually) lies in [0, 2^32), as the server computes it: the first 4 bytes, big-endian,
// of SHA-256 of salt, NUL and unit.
func Point(salt, unit string) uint32 {
	digest := sha256.Sum256([]byte(salt + "\x00" + unit))
	return binary.BigEndian.Uint32(digest[:])
}

// Arm is the name of the arm that a unit gets while the experiment runs, which is as GetExperiment answers it. It is false
// if the unit is not part of it. What EligibleFilter says of the unit is not looked at.
func Arm(experiment *accretev1.Experiment, unit string) (string, bool) {
	if !has(experiment.LayerSlices, Point("layer:"+experiment.Layer, unit)) {
		return "", false
	}
	here := Point(experiment.Salt, unit)
	for _, arm := range experiment.Arms {
		if has(arm.Slices, here) {
			return arm.Name, true
		}
	}
	return "", false
}

func has(slices []*accretev1.Slice, here uint32) bool {
	for _, slice := range slices {
		if slice.From <= uint64(here) && uint64(here) < slice.To {
			return true
		}
	}
	return false
}
