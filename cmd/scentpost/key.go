package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"scentpost/station/record"
)

// privatePrefix begins every private key's text.
const privatePrefix = "PRIVATE+KEY+"

// keyCmd makes and uses keys.
type keyCmd struct {
	New    keyNew    `cmd:"" help:"Make a key; writes the private key to a new file and prints the verifier key."`
	Show   keyShow   `cmd:"" help:"Print the verifier key of a private key."`
	Answer keyAnswer `cmd:"" help:"Sign a station's request; prints the answer for 'session seal --share'."`
}

type keyNew struct {
	Name string `arg:"" help:"Whose key it is: letters, digits, '.', '_' and '-'."`
	Out  string `short:"o" help:"The file for the private key, by default NAME.key." placeholder:"FILE"`
	JSON bool   `help:"Print JSON."`
}

// Run makes a key. A file that is there already is never written over.
func (c keyNew) Run(out io.Writer) error {
	if record.IsSimulated(c.Name) {
		return usage(errors.New("only simulations make SIMULATED keys"))
	}
	private, verifier, err := record.NewKey(rand.Reader, c.Name)
	if err != nil {
		return usage(err)
	}
	name := c.Out
	if name == "" {
		name = c.Name + ".key"
	}
	if err := createNew("the private key", name, []byte(private+"\n"), 0o600); err != nil {
		return err
	}
	return printKey(out, verifier, c.JSON)
}

type keyShow struct {
	File string `arg:"" help:"The file of a private or a verifier key."`
	JSON bool   `help:"Print JSON."`
}

// Run prints the verifier key.
func (c keyShow) Run(out io.Writer) error {
	data, err := readFile(c.File, maxKeyFile)
	if err != nil {
		return usage(err)
	}
	verifier := record.KeyText(data)
	if strings.HasPrefix(verifier, privatePrefix) {
		verifier, err = record.VerifierOf(verifier)
	} else {
		_, err = record.ParseVerifier(verifier)
	}
	if err != nil {
		return usage(fmt.Errorf("%s: %w", c.File, err))
	}
	return printKey(out, verifier, c.JSON)
}

func printKey(out io.Writer, verifier string, asJSON bool) error {
	if asJSON {
		return printJSON(out, map[string]string{"key": verifier})
	}
	_, err := fmt.Fprintln(out, verifier)
	return err
}
