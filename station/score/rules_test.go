package score_test

import (
	"testing"

	"scentpost/configs"
	"scentpost/station/score"
)

func TestEveryRuleThatComesWithScentpostIsSound(t *testing.T) {
	names, err := configs.Files{}.Names(configs.Rules)
	if err != nil || len(names) < 5 {
		t.Fatalf("got %q, %v", names, err)
	}
	for _, name := range names {
		file, src, err := configs.Files{}.Read(configs.Rules, name)
		if err != nil {
			t.Fatal(err)
		}
		rule, err := score.ParseRule(file, src)
		if err != nil {
			t.Errorf("%s:\n%v", name, err)
		}
		if rule.Name != name {
			t.Errorf("%s: is named %s", name, rule.Name)
		}
	}
}
