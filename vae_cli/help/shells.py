"""Scripts that let a shell ask a command for completions: ``vae-train --completion bash``."""

BASH = r"""_vae_cli() {
    local line=${COMP_LINE:0:COMP_POINT} words found kept IFS=$' \t\n'
    read -ra words <<< "${line#*"$1"}"
    [[ $line == *[[:space:]] ]] && words+=("")
    local word=${words[${#words[@]} - 1]}
    # Bash replaces what stands behind the last = or : of a word.
    [[ $COMP_WORDBREAKS == *=* ]] && kept=${word%"${word##*[=:]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r found _; do
        COMPREPLY+=("${found#"$kept"}")
    done < <("${1/#\~/$HOME}" --completion words "${words[@]}" 2> /dev/null)
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=.:] ]] && compopt -o nospace 2> /dev/null
    return 0
}
complete -o default -F _vae_cli PROGRAMS
"""
ZSH = r"""(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_vae_cli() {
    local line found
    local -a whole whole_shown open open_shown
    for line in "${(@f)$(${~words[1]} --completion words "${(@Q)words[2,CURRENT]}" 2> /dev/null)}"
    do
        found=${line%%$'\t'*}
        [[ -z $found ]] && continue
        if [[ $found == *[=.:] ]]; then
            open+=("$found") open_shown+=("${line/$'\t'/  -- }")
        else
            whole+=("$found") whole_shown+=("${line/$'\t'/  -- }")
        fi
    done
    if (( ! $#whole && ! $#open )); then
        compset -P '*='
        _files
        return
    fi
    (( $#open )) && compadd -l -S '' -d open_shown -a open
    (( $#whole )) && compadd -l -d whole_shown -a whole
    return 0
}
compdef _vae_cli PROGRAMS
"""
FISH = r"""function __vae_cli
    set -l words (commandline -opc)
    set -a words (commandline -ct)
    set -g __vae_cli_found ($words[1] --completion words $words[2..-1] 2> /dev/null)
    test (count $__vae_cli_found) -gt 0
end
for program in PROGRAMS
    complete -c $program -f -n __vae_cli -a '(printf "%s\n" $__vae_cli_found)'
end
"""
SHELLS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
