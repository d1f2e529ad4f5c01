package control

import (
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

// TestRolesThatMustBeApart: a session in which one person may hold two of them is refused, however the names are written and
// whether or not the station knows them; names of two people are taken.
func TestRolesThatMustBeApart(t *testing.T) {
	names := []Person{
		{Name: "Mu\u0308ller", Roles: []event.Role{event.Loader}},
		{Name: "Strauss", Roles: []event.Role{event.Admin}},
		{Name: "Đorđe Njegoš", Roles: []event.Role{event.Assessor}},
		{Name: "Chloë d'Arc", Roles: []event.Role{event.Assessor, event.Loader}},
		{Name: "Helfer", Roles: []event.Role{event.Handler}},
	}
	for _, c := range []struct {
		mode              event.Mode
		handler, assessor string
		want              refusal.Code
		values            string // of the refusal: person, role, other, other_role
	}{
		{event.ModeDouble, "Müller", "Ada", MayBeOne, "Müller handler Mu\u0308ller loader"},
		{event.ModeDouble, "Hari", "MÜLLER", MayBeOne, "MÜLLER assessor Mu\u0308ller loader"},
		{event.ModeDouble, "Strauß", "Ada", MayBeOne, "Strauß handler Strauss loader"},
		{event.ModeDouble, "Strasse", "Ada", "", ""},
		{event.ModeDouble, "Muller", "Ada", "", ""},
		{event.ModeDouble, "Hari", "chloë d’arc", MayBeOne, "chloë d’arc assessor Chloë d'Arc loader"},
		{event.ModeDouble, "Ђорђе Његош", "Ada", "", ""}, // an assessor who is not this session's
		{event.ModeSingle, "Ђорђе Његош", "Ada", MayBeOne, "Ђорђе Његош handler Đorđe Njegoš assessor"},
		{event.ModeSingle, "Müller", "Ada", "", ""},
		{event.ModeSingle, "Ada", "АDA", MayBeOne, "Ada handler АDA assessor"}, // with a Cyrillic А
		{event.ModeDouble, "Ada", "Ada", OnePerson, ""},
		{event.ModeSingle, "Ada", "Ada", OnePerson, ""},
		{event.ModeOpen, "Müller", "MÜLLER", "", ""},
		{event.ModeOpen, "Ada", "Ada", "", ""},
	} {
		in := newInbox(trial.View{Phase: trial.Idle})
		s, err := New(Options{Site: "site", Station: "line-1", People: names, Inbox: in, Archive: archive{}})
		if err != nil {
			t.Fatal(err)
		}
		plan := strings.Replace(shortPlan(t), "mode: double", "mode: "+string(c.mode), 1)
		got := do(s, Request{Command: "open", As: "Đorđe Njegoš", PlanName: "short.yaml", Plan: plan, Dog: "Rex", Handler: c.handler, Assessor: c.assessor, New: true})
		var values []string
		if got.Refused != nil && c.values != "" {
			for _, name := range []string{"person", "role", "other", "other_role"} {
				values = append(values, got.Refused.Value(name))
			}
		}
		if got.OK != (c.want == "") || c.want != "" && !got.Refused.Says(c.want) || strings.Join(values, " ") != c.values {
			t.Errorf("%s with %q and %q: %+v, want %s %s", c.mode, c.handler, c.assessor, got.Refused, c.want, c.values)
		}
		if c.want == "" && len(in.got) == 1 { // two people of like names stay two
			o := in.got[0].Body.(*event.Opening)
			if o.Team.Handler != c.handler {
				t.Errorf("the handler %q became %q", c.handler, o.Team.Handler)
			}
		}
	}
}

// TestWhoIsKnown: a handler or an assessor whom neither the configuration nor an earlier session knows is refused with the
// nearest name, and taken where the request says that they are new.
func TestWhoIsKnown(t *testing.T) {
	for _, c := range []struct {
		handler, assessor string
		want              refusal.Code
		near              string
	}{
		{"Hari", "Ada", "", ""},
		{"Hair", "Ada", PersonNear, "Hari"},
		{"hari", "Ada", PersonNear, "Hari"},
		{"Hari", "Áda", PersonNear, "Ada"},
		{"Visitor", "Ada", "", ""}, // of an earlier session
		{"Vistor", "Ada", PersonNear, "Visitor"},
		{"Wolfgang", "Ada", PersonUnknown, ""},
		{"Hari", "Rex", PersonUnknown, ""}, // a dog is nobody
	} {
		for _, isNew := range []bool{false, true} {
			in := newInbox(trial.View{Phase: trial.Idle})
			in.state.Names = map[string]string{"p-00000000000000000000000000000001": "Visitor", "d-00000000000000000000000000000001": "Rex"}
			got := do(newTestService(t, in), Request{Command: "open", As: "Ada", PlanName: "short.yaml", Plan: shortPlan(t), Dog: "Rex",
				Handler: c.handler, Assessor: c.assessor, New: isNew})
			about := c.handler + " and " + c.assessor
			switch {
			case isNew || c.want == "":
				if !got.OK && !got.Refused.Says(MayBeOne) {
					t.Errorf("%s, new %v: %+v", about, isNew, got.Refused)
				}
			case !got.Refused.Says(c.want) || got.Refused.Value("near") != c.near:
				t.Errorf("%s: %+v, want %s %q", about, got.Refused, c.want, c.near)
			}
		}
	}
}

// TestSignsThatNoReaderSees are refused in every text of a request, but in files, which are read by a door of their own.
func TestSignsThatNoReaderSees(t *testing.T) {
	for _, a := range arguments {
		var r Request
		text, ok := a.at(&r).(*string)
		if !ok || a.file {
			continue
		}
		for _, sign := range []string{"\u200b", "\u202e", "\ufeff", "\u2066", "\x1b", "\u00ad", "\ufe0f"} {
			*text = "Ada" + sign + "Berg"
			if why := a.refuse(&r); !why.Says(TextUnseen) || why.Value("argument") != a.Name {
				t.Errorf("%s with %q: %v", a.Name, sign, why)
			}
		}
		*text = "two\nlines"
		if why := a.refuse(&r); a.lines == why.Says(TextUnseen) {
			t.Errorf("%s of two lines: %v", a.Name, why)
		}
		if !a.name {
			continue
		}
		for text2, want := range map[string]refusal.Code{"Ada ": NameEdged, "\u00a0Ada": NameEdged, strings.Repeat("a", 101): NameTooLong} {
			*text = text2
			if why := a.refuse(&r); !why.Says(want) {
				t.Errorf("%s %q: %v, want %s", a.Name, text2, why, want)
			}
		}
	}
}
