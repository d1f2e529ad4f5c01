package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"scentpost/cmd/internal/words"
	"scentpost/station/control"
	"scentpost/station/control/socket"
)

// watchCmd shows the session as it goes on.
type watchCmd struct {
	daemon
}

// Run prints a line for each change until the daemon or the user ends it.
func (c watchCmd) Run(out io.Writer) error {
	client, err := socket.Dial(context.Background(), c.Socket)
	if err != nil {
		return no(words.Error(err))
	}
	defer client.Close()
	request := &control.Request{Command: "watch", As: c.As}
	last := ""
	for {
		response, err := client.Send(request)
		if errors.Is(err, socket.ErrHungUp) {
			return no(errors.New("the daemon hung up: it has ended, or starts again; watch again to go on"))
		}
		if err != nil {
			return no(words.Error(err))
		}
		request = nil
		switch {
		case !response.OK:
			return no(words.Refused(response))
		case c.JSON:
			if err := json.NewEncoder(out).Encode(response.Status); err != nil {
				return err
			}
		default:
			if line := words.Progress(response.Status); line != last {
				last = line
				fmt.Fprintln(out, line)
			}
		}
	}
}
