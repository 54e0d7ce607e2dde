package main

import (
	"encoding/json"
	"os"

	"accrete.example/accrete"
	"accrete.example/accrete/accretev1"
)

// The arm of a unit, as the server writes it.
func arm(step object) (any, error) {
	var experiment accretev1.Experiment
	if err := fromJSON(step["experiment"], &experiment); err != nil {
		return nil, err
	}
	arm, _ := accrete.Arm(&experiment, text(step["unit"]))
	return object{"arm": experiment.Name + "/" + arm}, nil
}

// Points and arms as they are published.
type published struct {
	Points []struct {
		Salt, Unit string
		Point      uint32
	}
	Experiments []struct {
		Salt, Layer string
		LayerSlices [][2]uint64
		Arms        []struct {
			Name   string
			Slices [][2]uint64
		}
		Assignments []struct{ Unit, Arm string }
	}
}

// Compares with what is published of points and arms.
func vectors() (any, error) {
	file, err := os.ReadFile(os.Getenv("ACCRETE_VECTORS"))
	if err != nil {
		return nil, err
	}
	var all published
	if err := json.Unmarshal(file, &all); err != nil {
		return nil, err
	}
	for _, each := range all.Points {
		if err := check(float64(accrete.Point(each.Salt, each.Unit)), float64(each.Point), each.Unit); err != nil {
			return nil, err
		}
	}
	assignments := 0.0
	for _, each := range all.Experiments {
		experiment := &accretev1.Experiment{Salt: each.Salt, Layer: each.Layer, LayerSlices: slicesOf(each.LayerSlices)}
		for _, arm := range each.Arms {
			experiment.Arms = append(experiment.Arms, &accretev1.Arm{Name: arm.Name, Slices: slicesOf(arm.Slices)})
		}
		for _, assignment := range each.Assignments {
			arm, _ := accrete.Arm(experiment, assignment.Unit)
			if err := check(arm, assignment.Arm, assignment.Unit); err != nil {
				return nil, err
			}
			assignments++
		}
	}
	return object{"points": float64(len(all.Points)), "assignments": assignments}, nil
}

func slicesOf(pairs [][2]uint64) []*accretev1.Slice {
	slices := make([]*accretev1.Slice, len(pairs))
	for index, pair := range pairs {
		slices[index] = &accretev1.Slice{From: pair[0], To: pair[1]}
	}
	return slices
}
