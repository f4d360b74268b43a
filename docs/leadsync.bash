# bash completion for leadsync: asks the program itself, so that it is never out of date.
_leadsync()
{
    local word=${COMP_WORDS[COMP_CWORD]} words
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$("${COMP_WORDS[0]}" help --words 2>/dev/null)
    elif [ "${word#-}" != "$word" ]; then
        words=$("${COMP_WORDS[0]}" help --words "${COMP_WORDS[1]}" 2>/dev/null)
    elif [ "${COMP_WORDS[1]}" = help ]; then
        words=$("${COMP_WORDS[0]}" help --words 2>/dev/null)
    else
        compopt -o default
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _leadsync leadsync
