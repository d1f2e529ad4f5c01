// Package blind decides what stands where in a blind session, and commits to it before the first run.
//
// A Plan says what may happen, a loading what lies in which canister, and Draw deals the placements from a seed by
// law 1. LAW1.md specifies the generator and the law for a stranger who wants to write them again; testdata holds
// vectors for both. Nothing here reads a clock, a file or any chance but the seed.
package blind

// DrawLaw is the version of the law by which Draw deals (LAW1.md). Until release 0.1 a change of it is a new draft
// (event.Draft) instead.
const DrawLaw = 1

// BlankOdour is the odour of a blank: the carrier without odour, handled like every other canister.
const BlankOdour = "blank"
