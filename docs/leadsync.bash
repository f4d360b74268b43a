# bash completion for leadsync: asks the program itself, so that it is never out of date.
_leadsync()
{
    local word=${COMP_WORDS[COMP_CWORD]} words
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$("${COMP_WORDS[0]}" help --words 2>/dev/null)
    elif [ "${word#-}" != "$word" ]; then
        # "leads list" has options of its own; where the second word is no verb, it is not asked about.
        words=$("${COMP_WORDS[0]}" help --words "${COMP_WORDS[@]:1:2}" 2>/dev/null ||
            "${COMP_WORDS[0]}" help --words "${COMP_WORDS[1]}" 2>/dev/null)
    elif [ "${COMP_WORDS[1]}" = help ]; then
        words=$("${COMP_WORDS[0]}" help --words "${COMP_WORDS[@]:2:COMP_CWORD-2}" 2>/dev/null)
    elif [ "$COMP_CWORD" -eq 2 ] && words=$("${COMP_WORDS[0]}" help --words "${COMP_WORDS[1]}" 2>/dev/null) &&
        words=$(grep -v '^-' <<<"$words"); then
        : # the verbs of a family
    else
        compopt -o default
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _leadsync leadsync
