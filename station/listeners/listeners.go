// Package listeners keeps the functions that hear of every change of something.
package listeners

import (
	"slices"
	"sync"
)

// List is a list of functions that hear of every change, with a value of type T. The zero value is empty. Its methods may be
// called from any goroutine, and from a function of the list as well.
type List[T any] struct {
	mu  sync.Mutex // guards all; never held while a function runs
	all []*func(T) // in the order in which they came; never changed, only replaced
}

// Add adds a function until stop is called. stop may be called any number of times; a call that has begun is not waited for.
func (l *List[T]) Add(f func(T)) (stop func()) {
	one := &f
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(slices.Clip(l.all), one)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all = slices.DeleteFunc(slices.Clone(l.all), func(other *func(T)) bool { return other == one })
	}
}

// Tell calls every function of the list, in the order in which they came. Calls of Tell that overlap may tell one function of
// two changes in either order.
func (l *List[T]) Tell(change T) {
	l.mu.Lock()
	all := l.all
	l.mu.Unlock()
	for _, f := range all {
		(*f)(change)
	}
}
