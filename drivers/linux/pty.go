//go:build linux

package linux

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// PTY is a serial port that a program plays the board of: what is written to it comes out of the port, and the other
// way round.
type PTY struct {
	*os.File
	// Port is the path of the port.
	Port string
	link string
	// own keeps the port open on its own side too: without that, each program that lets go of it would look like an end.
	own *os.File
}

// OpenPTY makes a serial port and, unless link is "", a link to it that stays when it is made anew.
func OpenPTY(link string) (*PTY, error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("make a serial port: %w", err)
	}
	p := &PTY{File: os.NewFile(uintptr(fd), "/dev/ptmx"), link: link}
	if err := p.unlock(fd); err != nil {
		if p.own != nil {
			err = errors.Join(err, p.own.Close())
		}
		return nil, errors.Join(fmt.Errorf("make a serial port: %w", err), p.File.Close())
	}
	if link != "" {
		if err := p.point(); err != nil {
			return nil, errors.Join(fmt.Errorf("link %s: %w", link, err), p.own.Close(), p.File.Close())
		}
	}
	return p, nil
}

// unlock lets others open the port, and makes it raw: nothing that passes is changed or echoed.
func (p *PTY) unlock(fd int) error {
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return err
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return err
	}
	p.Port = fmt.Sprintf("/dev/pts/%d", n)
	own, err := unix.Open(p.Port, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	p.own = os.NewFile(uintptr(own), p.Port)
	mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	mode.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	mode.Oflag &^= unix.OPOST
	mode.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	mode.Cflag = mode.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	return unix.IoctlSetTermios(fd, unix.TCSETS, mode)
}

// point lets the link point at the port, in one step.
func (p *PTY) point() error {
	next := p.link + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(p.Port, next); err != nil {
		return err
	}
	return os.Rename(next, p.link)
}

// Close takes the port away, as a board that is unplugged, and its link with it.
func (p *PTY) Close() error {
	var failed error
	if p.link != "" {
		if to, err := os.Readlink(p.link); err == nil && to == p.Port {
			failed = os.Remove(p.link)
		}
	}
	return errors.Join(failed, p.own.Close(), p.File.Close())
}
