package control

import (
	"strings"
	"testing"

	"scentpost/station/event"
)

var (
	assessors = []event.Role{event.Assessor}
	handlers  = []event.Role{event.Handler}
	loaders   = []event.Role{event.Loader}
)

// TestWho tells apart accounts, names and the public.
func TestWho(t *testing.T) {
	own := []Account{{"Ada", assessors, 1000}, {"Ben", assessors, 1001}, {"Lola", loaders, 1001}, {"Hari", handlers, -1}, {"Dora", loaders, -1}}
	for name, c := range map[string]struct {
		simulated bool
		uid       int
		as        string
		command   string
		want      string
		says      string // of the error
	}{
		"the only one of an account":           {false, 1000, "", "arm", "Ada", ""},
		"the only one, who may not":            {false, 1000, "", "load", "Ada", ""},
		"by name":                              {false, 1000, "Ada", "arm", "Ada", ""},
		"one of two":                           {false, 1001, "Lola", "load", "Lola", ""},
		"two, unnamed":                         {false, 1001, "", "load", "", "speaker-unnamed (command load, roles loader, admin)"},
		"two, unnamed, for all":                {false, 1001, "", "status", "", ""},
		"for another":                          {false, 1000, "Ben", "arm", "", "not-yours (as Ben)"},
		"nobody's account":                     {false, 1002, "", "arm", "", "account-unknown (command arm, roles assessor, uid 1002)"},
		"nobody's account, for all":            {false, 1002, "", "watch", "", ""},
		"nobody's account, by name":            {false, 1002, "Ada", "arm", "", "not-yours"},
		"no account":                           {false, 1000, "Dora", "load", "", "not-yours"},
		"an account below zero":                {false, -1, "", "status", "", ""},
		"root":                                 {false, 0, "Ada", "arm", "", "not-yours"},
		"an account, simulated":                {true, 4242, "Ada", "arm", "", "not-yours"},
		"no account, simulated":                {true, 4242, "Dora", "load", "Dora", ""},
		"whoever may, simulated":               {true, 4242, "", "start", "Hari", ""},
		"whoever may, of an account's":         {true, 1000, "", "arm", "Ada", ""},
		"what nobody may, simulated":           {true, 4242, "", "arm", "", "speaker-unknown (command arm, roles assessor)"},
		"what everybody may, simulated":        {true, 4242, "", "status", "", ""},
		"whoever may of two, simulated":        {true, 1001, "", "load", "Lola", ""},
		"a command that is none":               {false, 1001, "", "fly", "", "speaker-unnamed"},
		"a command that is none, by one alone": {false, 1000, "", "fly", "Ada", ""},
	} {
		got, err := NewAccounts(own, c.simulated, 1).Who(c.uid, c.as, c.command)
		if got.Name != c.want || (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) || c.want == "" && got.Roles != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestWhatAccountsMean for a blind session: who shares one, and who can read the station's files.
func TestWhatAccountsMean(t *testing.T) {
	people := NewAccounts([]Account{{"Ada", assessors, 7}, {"Lola", loaders, 7}, {"Hari", handlers, -1}, {"Dora", loaders, -1},
		{"Rut", assessors, 0}, {"Sysi", assessors, 9}, {"Ida", loaders, 8}}, false, 9).People()
	want := map[string][2]bool{"Ada": {true, false}, "Lola": {true, false}, "Rut": {false, true}, "Sysi": {false, true}}
	if len(people) != 7 {
		t.Fatalf("%+v", people)
	}
	for _, p := range people {
		if got := [2]bool{p.SharesAccount, p.ReadsVault}; got != want[p.Name] {
			t.Errorf("%s shares and reads the vault: %v, want %v", p.Name, got, want[p.Name])
		}
	}
	for _, p := range NewAccounts([]Account{{"Hari", handlers, -1}}, true, -1).People() {
		if p.ReadsVault || p.SharesAccount {
			t.Errorf("without an account: %+v", p)
		}
	}
}
