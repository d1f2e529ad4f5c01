# Scentpost. `make` shows what there is; `make demo` and `make test` are the two to begin with.
# Everything that is made lies in build/.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# One way of building, for programs, tests and packages: each is compiled once, in whatever folder the project lies.
export CGO_ENABLED ?= 0
export GOFLAGS     := $(filter-out -trimpath,$(GOFLAGS)) -trimpath

SEED     ?= 1
FUZZTIME ?= 30s
# How long the soak tests go on.
SOAKTIME ?= 30m
# What `make bench` runs, as go test -bench takes it, and how long each.
BENCH     ?= .
BENCHTIME ?= 1s
# For one package: a test that takes longer than this hangs.
TIMEOUT  ?= 15m

# What the tests need beyond Go, as command:debian-package.
DEPS      := mosquitto:mosquitto mosquitto_pub:mosquitto-clients 7z:p7zip-full unzip:unzip bsdtar:libarchive-tools python3:python3 qemu-aarch64-static:qemu-user-static shellcheck:shellcheck
DEPS_RACE := gcc:gcc
DEPS_DEB  := dpkg-deb:dpkg qemu-aarch64-static:qemu-user-static qemu-arm-static:qemu-user-static shellcheck:shellcheck
DEPS_FIRMWARE := avr-gcc:gcc-avr /usr/lib/avr/include/avr/io.h:avr-libc
DEPS_RUNNER := /usr/include/simavr/sim_avr.h:libsimavr-dev gcc:gcc
DEPS_SIMAVR := $(DEPS_RUNNER) cppcheck:cppcheck clang:clang \
  '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a:libclang-rt-14-dev'
DEPS_FLASH := avrdude:avrdude flock:util-linux \
  /usr/share/arduino/hardware/arduino/avr/bootloaders/optiboot/optiboot.c:arduino-core-avr
DEPS_KERNEL := qemu-system-x86_64:qemu-system-x86 cpio:cpio xz:xz-utils zstd:zstd gcc:gcc make:make
DEPS_GUEST := $(DEPS_KERNEL) debootstrap:debootstrap dpkg-deb:dpkg

VERSION  := $(shell git describe --always --dirty --tags 2>/dev/null || echo unknown)
LDFLAGS  := -X main.version=$(VERSION)
PROGRAMS := $(notdir $(patsubst %/main.go,%,$(wildcard cmd/*/main.go)))
# ./... leaves out folders that begin with a point.
PACKAGES := ./... ./.ci ./.ci/bench
# What unit tests are not: these run in real time, with whole programs and brokers;
REAL_TIME := ./cmd/e2e ./cmd/scentsim ./station/uplink/...
# these perform hundreds of sessions, in virtual time;
SESSIONS  := ./simulator/check
# these run the firmware in simavr.
CHIPS     := ./firmware-bridge/firmware/...
UNITS      = $$(go list $(PACKAGES) | grep -vxFf <(go list $(REAL_TIME) $(SESSIONS) $(CHIPS)))
# The target vet looks at all of it, once.
GO_TEST   := go test -vet=off -timeout $(TIMEOUT)
# Not what Go remembers of an earlier run: it does not see what the programs read that a test starts.
AFRESH    := $(GO_TEST) -count 1
# The parts of two targets: those that keep processors busy, longest first, and those that mostly wait. See .ci/together.
TEST_WORKS := test-kernel test-deb unit-tests firmware-simavr sessions firmware-core staticcheck vet gofmt
TEST_WAITS := firmware-session real-time
# avrdude waits a fraction of a second for the chip that simavr plays.
TEST_LAST  := firmware-flash
LONG_WORKS := fuzz-long sessions-long units-long simavr-long core-long
LONG_WAITS := real-time-long
TOGETHER   := MAKE='$(MAKE)' .ci/together
QUIET    := .ci/quiet
FIRMWARE := $(MAKE) -s -C firmware-bridge/firmware OUT=$(CURDIR)/build/firmware

.PHONY: help demo test long check race fuzz soak lint cover bench deps build clean go-version
.PHONY: compile gofmt vet staticcheck unit-tests sessions real-time $(LONG_WORKS) $(LONG_WAITS)
.PHONY: test-firmware firmware-core firmware-simavr firmware-flash firmware-session firmware runner flash flash-port
.PHONY: test-kernel test-pi test-deb test-deb-contents test-deb-life deb

help: ## show this
	@echo "Scentpost $(VERSION): make TARGET"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile

demo: build ## run one sealed double-blind session on a virtual station (SEED=1) into build/demo
	@build/scentsim demo --seed $(SEED) --out build/demo

test: go-version deps ## install what is missing, run all checks and tests, and show how long each part took
	@$(TOGETHER) test compile $(TEST_WORKS) -- $(TEST_WAITS) -- $(TEST_LAST)

long: go-version deps ## tests with all their repetitions, and each fuzz target for FUZZTIME=20s: before an issue is done
	@$(TOGETHER) long compile $(LONG_WORKS) -- $(LONG_WAITS)

check: gofmt vet staticcheck unit-tests ## formatting, go vet, staticcheck and the unit tests

# First of all: else each of the others would compile the same.
compile: go-version
	@$(QUIET) compile go build ./...

gofmt: go-version
	@$(QUIET) gofmt .ci/formatted

vet: go-version
	@$(QUIET) vet go vet $(PACKAGES)

staticcheck: go-version build/tools/staticcheck
	@$(QUIET) staticcheck build/tools/staticcheck $(PACKAGES)

unit-tests: go-version
	@$(QUIET) unit-tests $(GO_TEST) -short $(UNITS)

sessions: go-version
	@$(QUIET) sessions $(AFRESH) -short $(SESSIONS)

real-time: go-version
	@$(QUIET) real-time $(AFRESH) -short -p 1 $(REAL_TIME)

units-long: go-version
	@$(QUIET) units-long $(AFRESH) $(UNITS)

sessions-long: go-version
	@$(QUIET) sessions-long $(AFRESH) $(SESSIONS)

real-time-long: go-version
	@$(QUIET) real-time-long $(AFRESH) -p 1 $(REAL_TIME)

deb: go-version build/tools/nfpm ## the Debian packages for amd64, arm64 and armhf (ARMv6), into build/deb
	@rm -f build/deb/*.deb
	@$(QUIET) deb .ci/deb build/tools/nfpm build/deb
	@ls build/deb/*.deb

test-deb: deb ## what is in the packages, their programs on emulated boards, and a package's life on a Debian in QEMU
	@$(MAKE) --no-print-directory -j 2 test-deb-contents test-deb-life

test-deb-contents:
	@.ci/where-possible test-deb-contents $(DEPS_DEB) -- \
		env SCENTPOST_DEBS=$(CURDIR)/build/deb $(QUIET) test-deb-contents go test -count 1 -v ./configs/package
	@grep 'NOT RUN' build/log/test-deb-contents.log || true

test-deb-life:
	@.ci/where-possible test-deb-life $(DEPS_GUEST) -- \
		$(QUIET) test-deb-life configs/package/debtest/run build/deb build/kernel build/debian

test-firmware: firmware-core firmware-simavr firmware-flash firmware-session ## the boards' firmware: its core on this machine, the binary in simavr, and make flash

firmware-core: go-version
	@.ci/where-possible $@ $(DEPS_FIRMWARE) $(DEPS_SIMAVR) -- $(QUIET) $@ $(FIRMWARE) -j 2 check test fuzz

firmware-simavr: go-version
	@.ci/where-possible $@ $(DEPS_FIRMWARE) $(DEPS_SIMAVR) -- $(QUIET) $@ $(AFRESH) -short -v $(CHIPS)

firmware-flash: go-version
	@SCENTPOST_FIRMWARE=1 .ci/where-possible $@ $(DEPS_FIRMWARE) $(DEPS_SIMAVR) $(DEPS_FLASH) -- \
		$(QUIET) $@ $(AFRESH) -v -run '^TestFlash' ./firmware-bridge/firmware

firmware-session: go-version
	@SCENTPOST_FIRMWARE=1 .ci/where-possible $@ $(DEPS_FIRMWARE) $(DEPS_SIMAVR) -- \
		$(QUIET) $@ $(AFRESH) -v -run '^TestFirmwareThatFails$$' ./cmd/e2e

simavr-long: go-version
	@.ci/where-possible $@ $(DEPS_FIRMWARE) $(DEPS_SIMAVR) -- $(QUIET) $@ $(AFRESH) -v $(CHIPS)

core-long: go-version
	@.ci/where-possible $@ $(DEPS_FIRMWARE) $(DEPS_SIMAVR) -- $(QUIET) $@ $(FIRMWARE) fuzz FUZZRUNS=1000000

firmware: ## build the boards' firmware into build/firmware
	@.ci/deps $(DEPS_FIRMWARE)
	@$(FIRMWARE) firmware
	@avr-size build/firmware/m328p-*.elf

runner: firmware ## build the firmware and what runs it in simavr, for scentsim rig --firmware, into build/firmware
	@.ci/deps $(DEPS_RUNNER)
	@$(FIRMWARE) runner

flash: flash-port firmware ## write it to an Arduino Uno or Nano: PORT=/dev/serial/by-id/... (old Nanos: FLASHBAUD=57600)
	@.ci/deps avrdude:avrdude flock:util-linux
	@$(FIRMWARE) flash PORT=$(abspath $(PORT))

flash-port:
	@firmware-bridge/firmware/upload '$(PORT)'

test-kernel: go-version ## boot a Debian kernel with simulated GPIO chips in QEMU: the drivers on it, and whole stations
	@.ci/where-possible test-kernel $(DEPS_KERNEL) -- $(QUIET) test-kernel drivers/linux/kerneltest/run build/kernel

test-pi: go-version ## a temperature sensor and an output on a Raspberry Pi 3's own drivers, in QEMU 10 or newer; in no other target
	@$(QUIET) test-pi drivers/linux/kerneltest/pi build/pi
	@grep -E '^(---|    pi_test)' build/log/test-pi.log || true

race: go-version ## all tests under the race detector
	@.ci/deps $(DEPS) $(DEPS_RACE)
	@CGO_ENABLED=1 $(QUIET) race go test -race -timeout 60m $(PACKAGES)

fuzz: go-version ## each fuzz target for FUZZTIME=30s
	@.ci/fuzz $(FUZZTIME)

fuzz-long: go-version
	@$(QUIET) $@ .ci/fuzz 20s

soak: go-version deps ## the tests named TestSoak..., for SOAKTIME=30m
	@SCENTPOST_SOAK=$(SOAKTIME) go test -v -count 1 -timeout 0 -run '^TestSoak' $(PACKAGES)

lint: check build/tools/govulncheck build/tools/golangci-lint ## check, golangci-lint and govulncheck (builds them first: minutes)
	@$(QUIET) golangci-lint build/tools/golangci-lint run ./...
	@.ci/vulnerabilities build/tools/govulncheck

cover: go-version deps ## coverage of all tests: a figure for each function, and build/cover.html
	@mkdir -p build
	@$(QUIET) cover go test -timeout $(TIMEOUT) -coverpkg ./... -coverprofile build/cover.out $(PACKAGES)
	@go tool cover -html build/cover.out -o build/cover.html
	@go tool cover -func build/cover.out | tail -n 1

bench: go-version ## the benchmarks (BENCH=.), shown, and as JSON in build/bench.json
	@mkdir -p build
	@go build -o build/tools/bench ./.ci/bench
	@go test -timeout 60m -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./... | build/tools/bench build/bench.json

deps: ## install the Debian packages that the tests need, or say which
	@.ci/deps $(DEPS)

build: go-version ## build the programs into build/
	@mkdir -p build
	@go build -ldflags '$(LDFLAGS)' -o build/ $(addprefix ./cmd/,$(PROGRAMS))

clean: ## remove all that was made
	@rm -rf build

go-version:
	@.ci/go-version 1.26

# The tools are modules of their own: what they need does not concern the programs. golangci-lint has one for itself, since
# it brings 900 modules that nobody should have to fetch for `make test`.
build/tools/staticcheck: .ci/tools/go.mod .ci/tools/go.sum | go-version
	@$(QUIET) staticcheck-build go -C .ci/tools build -o $(CURDIR)/$@ honnef.co/go/tools/cmd/staticcheck
	@touch $@

build/tools/govulncheck: .ci/tools/go.mod .ci/tools/go.sum | go-version
	@$(QUIET) govulncheck-build go -C .ci/tools build -o $(CURDIR)/$@ golang.org/x/vuln/cmd/govulncheck
	@touch $@

build/tools/golangci-lint: .ci/lint/go.mod .ci/lint/go.sum | go-version
	@$(QUIET) golangci-lint-build go -C .ci/lint build -o $(CURDIR)/$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

build/tools/nfpm: .ci/nfpm/go.mod .ci/nfpm/go.sum | go-version
	@$(QUIET) nfpm-build go -C .ci/nfpm build -o $(CURDIR)/$@ github.com/goreleaser/nfpm/v2/cmd/nfpm
	@touch $@
