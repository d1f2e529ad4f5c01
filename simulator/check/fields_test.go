package check_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"scentpost/simulator/check"
	"scentpost/station/control"
)

// fill gives every field that a value has, as deep as it goes, something that goes by n.
func fill(v reflect.Value, n int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(string(rune('a' + n)))
	case reflect.Bool:
		v.SetBool(n%2 == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(1 + n))
	case reflect.Float64:
		v.SetFloat(float64(1 + n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), n)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	}
}

// TestEachFieldOfAViewIsCompared: whatever field of a view a secret reached, a pair would show it. The fields of which only the
// length is compared are hashes and signatures.
func TestEachFieldOfAViewIsCompared(t *testing.T) {
	var masked []string
	kind := reflect.TypeFor[control.Status]()
	for i := range kind.NumField() {
		seen := [2]check.Sights{}
		for n := range seen {
			var s control.Status
			fill(reflect.ValueOf(&s).Elem().Field(i), n)
			text, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			seen[n].See(check.Views, 1, text)
		}
		if check.Differ(&seen[0], &seen[1]) == nil {
			masked = append(masked, kind.Field(i).Name)
		}
	}
	if want := []string{"StationHash", "Request", "Checkpoint"}; !slices.Equal(masked, want) {
		t.Errorf("of these fields only the length is compared: %q, want %q", masked, want)
	}
}
