# Each target sets up all it needs by itself and says what it does. The steps are in .make/.
#   PYTHON=python3.12   which Python makes the virtual environment (3.11 or newer)
#   ARGS="-k credits"   what `make test` hands on to pytest
#   OUT=folder          where `make screens` puts its pictures

.PHONY: help run test test-browsers test-stress attacks check check-clients bench bench-flights bench-held bench-audit bench-ledger bench-members bench-tree odd-images screens requirements

help:
	@echo "make run           start the portal (HOST, PORT, DATA_DIR and all other settings from the environment)"
	@echo "make test          run all tests; ARGS=... is passed to pytest"
	@echo "make test-browsers run the main flows in Chromium, Firefox ESR and WebKitGTK; ARGS=... is passed to pytest"
	@echo "make test-stress   run the tests without a browser on a busy machine, in random order, and as a service"
	@echo "make attacks       run the long attacks on a portal too; ARGS=... is passed to pytest"
	@echo "make check         lint, type-check and look for missing migrations"
	@echo "make check-clients run providers' public clients from npm against the emulators; needs Node"
	@echo "make bench         print the portal's figures: server times with many edits, what a browser loads"
	@echo "make bench-flights print what two thousand edits in flight cost; ARGS=... as bench/flights.py has them"
	@echo "make bench-audit   print server times of the audit log with a million entries"
	@echo "make bench-members print server times of pages with ten thousand members"
	@echo "make bench-ledger  print server times of Credits & usage with a million entries; ARGS=... is another number"
	@echo "make bench-held    print what five hundred held API calls cost; ARGS=... as bench/held.py has them"
	@echo "make bench-tree    print what the Studio costs with an image of a thousand versions"
	@echo "make odd-images   upload a thousand odd images and compare them with Chromium; ARGS=count"
	@echo "make screens       take pictures of the screens into .cache/screens, or with OUT=... elsewhere"
	@echo "make requirements  pin the packages of requirements.in and requirements-dev.in again"

# `exec` keeps the process that make knows, so that the portal gets the SIGTERM that make is sent.
run:
	@exec .make/run

test:
	@exec .make/test $(ARGS)

test-browsers:
	@exec .make/test-browsers $(ARGS)

test-stress:
	@exec .make/test-stress

attacks:
	@exec .make/attacks $(ARGS)

check:
	@exec .make/check

check-clients:
	@exec .make/check-clients

bench:
	@exec .make/bench

bench-flights:
	@exec .make/bench-flights $(ARGS)

bench-audit:
	@exec .make/bench-audit

bench-ledger:
	@exec .make/bench-ledger $(ARGS)

bench-members:
	@exec .make/bench-members

bench-held:
	@exec .make/bench-held $(ARGS)

bench-tree:
	@exec .make/bench-tree

odd-images:
	@exec .make/odd-images $(ARGS)

screens:
	@exec .make/screens

requirements:
	@exec .make/requirements
