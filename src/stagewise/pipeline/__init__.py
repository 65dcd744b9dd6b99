"""The stages of the workflow as functions; the scripts of the rules call these and no others."""
