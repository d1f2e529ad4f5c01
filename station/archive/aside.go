package archive

import (
	"scentpost/station/history"
	"scentpost/station/journal"
)

// PutAside lists the journals of other drafts, which only their own version of the program can read.
func (a *Archive) PutAside() ([]history.Aside, error) {
	found, err := a.logs.PutAside()
	if err != nil {
		return nil, err
	}
	var list []history.Aside
	for _, f := range found {
		list = append(list, history.Aside{Draft: f.Draft, Epoch: f.Epoch, Sessions: f.Sessions, Unfinished: f.Unfinished, Folder: f.Folder})
	}
	return list, nil
}

// cutOffAside returns the session that had not ended when the journal with an epoch of another draft was put aside.
func cutOffAside(logs journal.Logs, next journal.Beginning) ([]string, error) {
	found, err := logs.PutAside()
	for _, f := range found {
		if f.Draft == next.PrevDraft && f.Epoch == next.Prev && f.Unfinished != "" {
			return []string{f.Unfinished}, nil
		}
	}
	return nil, err
}
