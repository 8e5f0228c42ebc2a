# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # run.sh, which sources this, has the rest of it
#
# Trees with the real cloud-init installed (sourced by run.sh): no false alarm, the note that
# its first boot deletes the keys, and its own Python for what its files say together.

# c NAME VERDICT NOTED COMMANDS: VERDICT of check; NOTED: boot-keys-deleted or nothing
c() {
    local name=$1 verdict=$2 noted=$3 commands=$4 tree=case-$cloud-$1 suite=$cloud outcome=ok json code=0
    [[ ${#wanted[@]} == 0 || " ${wanted[*]} " == *" $name "* ]] || return 0
    snapshot "$cloud" "$tree"
    (cd "$work/lab/$tree" && mkdir -p etc/ssh/sshd_config.d && eval "$commands") || outcome=failed
    json=$("$SSHMEND" check --json "$work/lab/$tree") || code=$?
    [[ $code == 0 && $(jq -r .verdict <<<"$json") == "$verdict" ]] ||
        { complain "check: exit $code, $(names "$json")" && outcome=failed; }
    [[ $(jq -r '[.findings[].id] | map(select(. == "boot-keys-deleted")) | join(" ")' <<<"$json") == "$noted" ]] ||
        { complain "the note is not: ${noted:-none}" && outcome=failed; }
    agrees_with_cloud_init "$tree" "$json" || outcome=failed
    drop "$tree"
    echo "RESULT $outcome cloud kept $cloud $name"
}

# What cc_ssh.py would do, by cloud-init's own merge of its files, run in the tree.
cloud_init_deletes() {
    chroot "$work/lab/$1" python3 -c '
from cloudinit import util
from cloudinit.helpers import Paths
from cloudinit.settings import CFG_BUILTIN
cfg = util.mergemanydict([util.read_conf_with_confd("/etc/cloud/cloud.cfg"), util.get_builtin_cfg() if hasattr(util, "get_builtin_cfg") else CFG_BUILTIN])
print("deletes" if util.get_cfg_option_bool(cfg, "ssh_deletekeys", True) else "keeps")'
}

agrees_with_cloud_init() {
    local theirs ours=keeps
    theirs=$(cloud_init_deletes "$1") || { complain "cloud-init does not read its own files" && return 1; }
    [[ ! -e $work/lab/$1/etc/cloud/cloud-init.disabled ]] || theirs=keeps
    jq -e '.findings | any(.id == "boot-keys-deleted")' <<<"$2" >/dev/null && ours=deletes
    [[ $ours == "$theirs" ]] || { complain "cloud-init $theirs the keys, and sshmend says it $ours them" && return 1; }
}

cloud_cases() {
    local cloud=$1 d=etc/cloud/cloud.cfg.d note=boot-keys-deleted
    btrfs -q subvolume create "$work/lab/$cloud"
    lab_unpack "$cloud" "$work/lab/$cloud"
    c cloud-first-boot healthy $note ':'
    c cloud-set-no healthy '' 'sed -i /^ssh_deletekeys/d etc/cloud/cloud.cfg; echo "ssh_deletekeys: false" >>etc/cloud/cloud.cfg'
    c cloud-set-one healthy $note 'sed -i /^ssh_deletekeys/d etc/cloud/cloud.cfg; echo "ssh_deletekeys: 1" >>etc/cloud/cloud.cfg'
    c cloud-unset healthy $note 'sed -i /^ssh_deletekeys/d etc/cloud/cloud.cfg'
    c cloud-dropin-no healthy '' "echo 'ssh_deletekeys: no' >$d/99-keep.cfg"
    c cloud-dropin-order healthy $note "echo 'ssh_deletekeys: false' >$d/10.cfg; echo 'ssh_deletekeys: true' >$d/20.cfg"
    c cloud-dropin-quoted healthy '' "echo 'ssh_deletekeys: \"false\"' >$d/99-keep.cfg"
    c cloud-dropin-quoted-key healthy '' "echo '\"ssh_deletekeys\": false' >$d/99-keep.cfg"
    c cloud-dropin-flow healthy '' "echo '{ssh_deletekeys: false, ssh_genkeytypes: [ed25519]}' >$d/99-keep.cfg"
    c cloud-dropin-zero healthy '' "echo 'ssh_deletekeys: 0' >$d/99-keep.cfg"
    c cloud-dropin-word healthy '' "echo 'ssh_deletekeys: nope' >$d/99-keep.cfg"
    c cloud-dropin-nested healthy $note "printf 'x:\n  ssh_deletekeys: false\n' >$d/99-keep.cfg"
    c cloud-dropin-null healthy '' "echo 'ssh_deletekeys:' >$d/99-keep.cfg"
    c cloud-dropin-comment healthy '' "echo 'ssh_deletekeys: false # keep' >$d/99-keep.cfg"
    c cloud-genkeytypes healthy $note "echo 'ssh_genkeytypes: [ed25519]' >$d/99-keep.cfg"
    c cloud-disabled healthy '' ': >etc/cloud/cloud-init.disabled'
}
