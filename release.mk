# Release tasks. Each job in .gitlab-ci.yml and .github/workflows is one of these targets; all of them also run locally.
.PHONY: pipelines coverage image smoke-candidate sbom checksums sign verify release release-version release-candidate release-env publish promote announce prune-candidates

# Minimum line coverage of the tests, in per cent.
COVERAGE ?= 85
# Number of release candidates to keep in the registry.
KEEP ?= 3
# Evaluated lazily: jobs without git history get the value from another job.
CANDIDATE ?= $(shell scripts/ensure pipelines && scripts/release/version candidate)
DIST := target/candidate
LINTERS := target/tools/pipelines/bin

pipelines: ## Lint the pipelines and scripts, and test the version and retention scripts
	@scripts/ensure pipelines
	PATH="$(LINTERS):$$PATH" actionlint
	$(LINTERS)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(LINTERS)/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml
	$(LINTERS)/shellcheck --severity=warning .ci/run deploy/*.sh $$(git grep -lE --untracked "^.!/usr/bin/env bash" -- scripts)
	scripts/release/test

coverage: ## Run every test with instrumentation; fails below COVERAGE per cent of lines, or below 100 per cent for authentication
	@scripts/ensure build services charts prometheus issuers schemathesis tritonclient onnxruntime coverage
	scripts/coverage $(COVERAGE)

image: ## Build the image of this commit's release candidate and save it in target/candidate
	docker build --build-arg VERSION=$(CANDIDATE) --build-arg REVISION=$$(git rev-parse HEAD) --tag trainyard:$(CANDIDATE) .
	@mkdir -p $(DIST)
	docker save --output $(DIST)/trainyard-image.tar trainyard:$(CANDIDATE)

smoke-candidate: ## Load the image that `make image` saved, and test it with `make smoke`
	docker load --input $(DIST)/trainyard-image.tar
	TRAINYARD_IMAGE=trainyard:$(CANDIDATE) SMOKE_BUILD=0 $(MAKE) smoke

sbom: ## Write a CycloneDX SBOM of the binary, and of the image if it exists
	@scripts/ensure build sbom
	scripts/release/sbom

checksums: # Write target/candidate/SHA256SUMS
	cd $(DIST) && ls | grep -v ^SHA256SUMS | LC_ALL=C sort | xargs sha256sum >SHA256SUMS

sign: ## Write and sign SHA256SUMS: in a pipeline with its identity, locally with SIGNING_KEY=ssh-key
	@$(MAKE) --no-print-directory checksums
	scripts/release/sign files

verify: ## Verify the checksums and their signature: ALLOWED_SIGNERS=file, or COSIGN_IDENTITY and COSIGN_ISSUER
	scripts/release/sign verify

release-version: ## Print the next version, computed from the commits since the last release
	@scripts/ensure pipelines
	@scripts/release/version next

release-candidate: ## Print the name of this commit's release candidate
	@echo $(CANDIDATE)

release-env: # Write CANDIDATE to target/candidate/release.env, for jobs without git or git-cliff
	@mkdir -p $(DIST)
	@echo CANDIDATE=$(CANDIDATE) | tee $(DIST)/release.env

release: ## Set the next version, update CHANGELOG.md, commit and tag; pushes nothing
	@scripts/ensure build pipelines
	scripts/release/cut

publish: # Push the saved image to IMAGE_REPOSITORY as a release candidate, and sign it; in a pipeline
	scripts/release/publish candidate $(CANDIDATE)

promote: # Tag this commit's candidate in IMAGE_REPOSITORY as the release; in a pipeline
	scripts/release/publish promote $(CANDIDATE)

announce: # Create the release page with its notes; locally, print the notes
	@scripts/release/announce $(firstword $(subst -rc., ,$(CANDIDATE)))

prune-candidates: ## List candidates in the registry that are older than the newest KEEP; APPLY=1 deletes them; in a pipeline
	@KEEP=$(KEEP) APPLY=$(APPLY) scripts/release/prune-candidates
