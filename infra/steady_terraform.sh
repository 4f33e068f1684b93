#!/bin/sh
# The CDKTF command lines run Terraform in a terminal of its own. Killed, they hang that terminal up, and Terraform with
# it: in mid-write of a state file, which it empties first, or with something created that it has not written down.
# Hung up or not, what it has begun to apply is applied to the end and written down; whoever comes next waits for its
# lock a while.
trap '' HUP
export TF_CLI_ARGS_apply="${TF_CLI_ARGS_apply--lock-timeout=60s}"
export TF_CLI_ARGS_destroy="${TF_CLI_ARGS_destroy--lock-timeout=60s}"
exec "${SAGESTACK_TERRAFORM:-terraform}" "$@"
