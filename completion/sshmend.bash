# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of sshmend(8) for bash.

_sshmend_options() {
    local common='--system --disk-serial --all --access --format --backing --json --quiet --verbose --color --help --version'
    local lost='--known-hosts --fingerprint'

    case $1 in
    check) echo "$common $lost --recover" ;;
    repair) echo "$common $lost --recover --yes --dry-run --keys --only --skip --strict --keep-keys --backup-dir --backup-superblock" ;;
    recover) echo "$common $lost --yes --dry-run --list --backup-dir --backup-superblock" ;;
    undo) echo "$common --run --list --backup-dir --backup-superblock" ;;
    keys) echo "$common --known-hosts --sshfp" ;;
    prove) echo "$common --timeout --kvm" ;;
    authorize) echo "$common --yes --dry-run --user --key --backup-dir --backup-superblock" ;;
    *) echo "$common" ;;
    esac
}

_sshmend() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local commands='scan check repair undo keys recover prove authorize explain'

    if [[ $COMP_CWORD == 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$word")
        return
    fi
    case $previous in
    --color) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$word") ;;
    --format) mapfile -t COMPREPLY < <(compgen -W 'raw qcow2 vmdk vdi vhd vhdx' -- "$word") ;;
    --access) mapfile -t COMPREPLY < <(compgen -W 'auto mount direct' -- "$word") ;;
    --recover) mapfile -t COMPREPLY < <(compgen -W 'auto never always' -- "$word") ;;
    --keys) mapfile -t COMPREPLY < <(compgen -W 'broken all' -- "$word") ;;
    *)
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$(_sshmend_options "${COMP_WORDS[1]}")" -- "$word")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
        fi
        ;;
    esac
}

complete -o filenames -F _sshmend sshmend
