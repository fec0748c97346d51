# A short way to type `python3 -m tasks TASK`; see `python3 -m tasks --help`.
PYTHON ?= python3

demo test test-fast coverage prove-privacy prove-reliability prove-security prove-databases prove-vendors bench package lint messages gallery setup clean:
	@$(PYTHON) -m tasks $@ $(ARGS)

.DEFAULT_GOAL := demo
.PHONY: demo test test-fast coverage prove-privacy prove-reliability prove-security prove-databases prove-vendors bench package lint messages gallery setup clean
