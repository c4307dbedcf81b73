package city

import "math/rand/v2"

// dice is a stream of random numbers that can be set to its beginning for another person at no cost.
type dice struct {
	*rand.Rand
	source *rand.PCG
}

func newDice() dice {
	source := rand.NewPCG(0, 0)
	return dice{rand.New(source), source}
}

// seed begins stream n of a city.
func (d dice) seed(city, n uint64) { d.source.Seed(mixed(city), mixed(city^mixed(n+1))) }

// in is true n times in a thousand.
func (d dice) in(n int) bool { return d.IntN(1000) < n }

// between is a whole number from a to b, both included.
func (d dice) between(a, b int) int { return a + d.IntN(b-a+1) }

// of draws a place from weights.
func (d dice) of(weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := d.IntN(sum)
	for i, w := range weights {
		if n < w {
			return i
		}
		n -= w
	}
	return len(weights) - 1
}

// mixed scatters neighbouring numbers over all 64 bits; no two numbers become one.
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
