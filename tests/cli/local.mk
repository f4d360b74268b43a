# Black-box stories: shell scripts that speak TAP.
