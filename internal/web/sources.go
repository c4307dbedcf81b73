package web

import (
	"slices"

	"bole/internal/finding"
	"bole/internal/pack"
	"bole/internal/tell"
)

// source is where a value is from: a register and the day that it describes.
type source struct {
	Title string
	Day   string // the cutoff that the sender names, or else the day received; "" when never delivered
}

// origins knows the last delivery of each register, in the words of a visit.
type origins struct {
	words
	pack *pack.Pack
	tell *tell.Teller
}

func (v *visit) origins(b *finding.Book) (*origins, error) {
	list, err := b.Sources(v.Context())
	if err != nil {
		return nil, err
	}
	return &origins{v.words, b.Pack(), tell.New(v.Lang, b.Pack(), list)}, nil
}

func (o *origins) of(r *pack.Register) source { return source{o.In(r.Title), o.tell.Told(r).String()} }

func appendNew[T comparable](list []T, x T) []T {
	if slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}
