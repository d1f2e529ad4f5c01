package program_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"scentpost/cmd/internal/program"
	"scentpost/station/event"
)

// cli is a command line of one command that answers as it is told.
type cli struct {
	Answer answer `cmd:"" help:"Answer."`
	Group  struct {
		Answer answer `cmd:"" help:"Answer, too."`
		Member answer `cmd:"" help:"Answer as a member."`
	} `cmd:"" help:"A group."`
}

type answer struct {
	How string `arg:"" help:"How."`
}

func (a answer) Run(out io.Writer) error {
	switch a.How {
	case "no":
		return fmt.Errorf("while answering: %w", program.No(errors.New("it is not so")))
	case "nobody":
		return program.Absent(errors.New("nobody is there"))
	case "misuse":
		return program.Usage(errors.New("that is no question"))
	case "unfinished":
		return program.Unfinished(errors.New("it goes on"))
	case "draft":
		return program.No(fmt.Errorf("the file: %w", program.Usage(event.CheckDraft(event.Draft+1))))
	case "printed":
		fmt.Fprintln(out, "it is wrong")
		return program.Answered(program.Usage(errors.New("wrong")))
	case "broken":
		return errors.New("it broke")
	}
	_, err := fmt.Fprintln(out, "yes")
	return err
}

func TestTheExitCodeTellsWhatCameOfIt(t *testing.T) {
	for _, c := range []struct {
		args     string
		code     int
		out, err string
	}{
		{"answer yes", program.ExitFine, "yes\n", ""},
		{"answer no", program.ExitNo, "", "asked: while answering: it is not so\n"},
		{"answer misuse", program.ExitUsage, "", "asked: that is no question\n"},
		{"answer nobody", program.ExitAbsent, "", "asked: nobody is there\n"},
		{"answer unfinished", program.ExitUnfinished, "", "asked: it goes on\n"},
		{"answer draft", program.ExitDraft, "", "asked: the file: made under draft"},
		{"answer printed", program.ExitUsage, "it is wrong\n", ""},
		{"answer broken", program.ExitNo, "", "asked: it broke\n"},
		{"answer", program.ExitUsage, "", "asked answer --help says more"},
		{"", program.ExitUsage, "", "asked --help lists the commands"},
		{"answer yes --loud", program.ExitUsage, "", "unknown flag --loud (asked answer --help says more)"},
		{"group", program.ExitUsage, "", "asked group --help lists the commands"},
		{"anwser yes", program.ExitUsage, "", "did you mean"},
		{"member", program.ExitUsage, "", "(asked group member? asked --help lists the commands)"},
		{"--help", program.ExitFine, "Usage: asked", ""},
	} {
		var out, errs bytes.Buffer
		code := program.Run("asked", "A program that is asked.", &cli{}, strings.Fields(c.args), program.Streams{Out: &out, Err: &errs})
		if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.err) || c.err == "" && errs.Len() > 0 {
			t.Errorf("%s: exit %d, printed %q and %q", c.args, code, &out, &errs)
		}
	}
}

// TestTheUnitDoesNotRepeatAnExit that another start would repeat.
func TestTheUnitDoesNotRepeatAnExit(t *testing.T) {
	text, err := os.ReadFile("../../../configs/systemd/scentpostd.service")
	want := fmt.Sprintf("\nRestartPreventExitStatus=%d %d\n", program.ExitUsage, program.ExitDraft)
	if err != nil || !strings.Contains(string(text), want) {
		t.Errorf("the unit does not say %q (%v)", want, err)
	}
	for _, c := range program.Codes() {
		if named := strings.Contains(c.Means, "(the unit"); named != (c.Code == program.ExitUsage || c.Code == program.ExitDraft) {
			t.Errorf("code %d: %s", c.Code, c.Means)
		}
	}
}
