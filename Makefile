# Scentpost. `make` shows what there is; `make demo` and `make test` are the two to begin with.
# Everything that is made lies in build/.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

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
DEPS      := mosquitto:mosquitto mosquitto_pub:mosquitto-clients 7z:p7zip-full qemu-aarch64-static:qemu-user-static shellcheck:shellcheck
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
# What unit tests are not: these run whole programs, brokers and chips, or thousands of sessions. The chips' are run by
# test-firmware.
FIRMWARE_TESTS := scentpost/firmware-bridge/firmware
SLOW_TESTS     := $(FIRMWARE_TESTS)|scentpost/cmd/e2e|scentpost/cmd/scentsim|scentpost/simulator/check|scentpost/station/uplink
# Packages but those that begin as one of $(1).
but = $$(go list $(PACKAGES) | grep -vE '^($(1))')
QUIET    := .ci/quiet
FIRMWARE := $(MAKE) -s -C firmware-bridge/firmware OUT=$(CURDIR)/build/firmware

.PHONY: help demo test test-firmware test-firmware-simavr test-firmware-session firmware runner flash flash-port test-kernel test-deb test-deb-contents test-deb-life deb check race fuzz soak lint cover bench deps build clean go-version

help: ## show this
	@echo "Scentpost $(VERSION): make TARGET"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile

demo: build ## run one sealed double-blind session on a virtual station (SEED=1) into build/demo
	@build/scentsim demo --seed $(SEED) --out build/demo

test: go-version deps check test-firmware ## install what is missing, check, run all tests and each fuzz target for 2 s
	@$(QUIET) test go test -timeout $(TIMEOUT) $(call but,$(FIRMWARE_TESTS))
	@$(MAKE) --no-print-directory test-kernel
	@$(QUIET) fuzz .ci/fuzz 2s
	@$(MAKE) --no-print-directory test-deb

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

test-firmware: go-version ## test the boards' firmware: its core on this machine, fuzzed, the binary in simavr, and make flash
	@.ci/where-possible firmware-core $(DEPS_FIRMWARE) $(DEPS_SIMAVR) -- $(QUIET) firmware-core $(FIRMWARE) -j 2 check test fuzz
	@SCENTPOST_FIRMWARE=1 .ci/where-possible firmware-flash $(DEPS_FIRMWARE) $(DEPS_SIMAVR) $(DEPS_FLASH) -- \
		$(QUIET) firmware-flash go test -v -timeout $(TIMEOUT) -run '^TestFlash' ./firmware-bridge/firmware
	@$(MAKE) --no-print-directory -j 2 test-firmware-simavr test-firmware-session

test-firmware-simavr:
	@.ci/where-possible firmware-simavr $(DEPS_FIRMWARE) $(DEPS_SIMAVR) -- \
		$(QUIET) firmware-simavr go test -v -timeout $(TIMEOUT) ./firmware-bridge/firmware/...

# It takes the time that it takes: its stations run in real time, and mostly wait.
test-firmware-session:
	@SCENTPOST_FIRMWARE=1 .ci/where-possible firmware-session $(DEPS_FIRMWARE) $(DEPS_SIMAVR) -- \
		$(QUIET) firmware-session go test -v -timeout $(TIMEOUT) -run '^TestFirmwareThatFails$$' ./cmd/e2e

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

check: go-version build/tools/staticcheck ## formatting, go vet, staticcheck and the unit tests
	@$(QUIET) gofmt .ci/formatted
	@$(QUIET) vet go vet $(PACKAGES)
	@$(QUIET) staticcheck build/tools/staticcheck $(PACKAGES)
	@$(QUIET) unit-tests go test -timeout $(TIMEOUT) $(call but,$(SLOW_TESTS))

race: go-version ## all tests under the race detector
	@.ci/deps $(DEPS) $(DEPS_RACE)
	@CGO_ENABLED=1 $(QUIET) race go test -race -timeout 60m $(PACKAGES)

fuzz: go-version ## each fuzz target for FUZZTIME=30s
	@.ci/fuzz $(FUZZTIME)

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
	@for program in $(PROGRAMS); do \
		CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o build/$$program ./cmd/$$program; \
	done

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
