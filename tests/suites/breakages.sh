# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2016 # the commands are run later, in the tree
#
# Ways to break sshd (sourced), one line each:
#
#   b NAME WHO IDENTITY FINDING COMMANDS
#
# WHO       whom the broken system refuses: all, user (alice), type (a key type is lost),
#           boot (nothing starts it), none (it works, yet something is wrong)
#           fine: nothing is wrong; check says so and repair does nothing
#           left: repair cannot mend it, and says so
# IDENTITY  kept: the same host keys afterwards; new: at least one is new
# FINDING   that check must name
# COMMANDS  run in the tree's directory; $key: each private host key in turn

KEYS='for key in etc/ssh/ssh_host_rsa_key etc/ssh/ssh_host_ecdsa_key etc/ssh/ssh_host_ed25519_key; do'

breakages() {
    # host keys: modes and owners
    b keys-0777 all kept hostkey-open 'chmod 777 etc/ssh/ssh_host_*'
    b keys-0644 all kept hostkey-open 'chmod 644 etc/ssh/ssh_host_*_key'
    b keys-0640 all kept hostkey-open 'chmod 640 etc/ssh/ssh_host_*_key'
    b keys-0666-one type kept hostkey-open 'chmod 666 etc/ssh/ssh_host_ed25519_key'
    b keys-owner none kept hostkey-owner 'chown 1000:1000 etc/ssh/ssh_host_*_key'
    b keys-owner-0777 none kept hostkey-owner 'chown 1000:1000 etc/ssh/ssh_host_*; chmod 777 etc/ssh/ssh_host_*'
    b keys-acl all kept hostkey-acl 'setfacl -m u:1000:r etc/ssh/ssh_host_*_key'
    b keys-immutable all kept hostkey-open 'chmod 777 etc/ssh/ssh_host_*_key; chattr +i etc/ssh/ssh_host_*_key'
    b keys-hard-link all kept hostkey-open 'ln etc/ssh/ssh_host_rsa_key root/other; chmod 777 etc/ssh/ssh_host_*_key'
    b etc-ssh-777 all kept hostkey-open 'chmod -R 777 etc/ssh'
    b etc-ssh-600 none kept config-closed 'chmod -R 600 etc/ssh'
    b etc-ssh-000 none kept fs-mode-differs 'chmod 700 etc/ssh' fine
    b etc-ssh-owner none kept config-owner 'chown -R 1000:1000 etc/ssh'

    # host keys: content
    b keys-empty all new hostkey-empty "$KEYS : >\$key; done"
    b keys-empty-one type new hostkey-empty ': >etc/ssh/ssh_host_ecdsa_key'
    b keys-nul all new hostkey-empty "$KEYS head -c 400 /dev/zero >\$key; done"
    b keys-cut-100 all new hostkey-corrupt "$KEYS truncate -s 100 \$key; done"
    b keys-cut-300 all new hostkey-corrupt "$KEYS truncate -s 300 \$key; done"
    b keys-cut-last-line all new hostkey-corrupt "$KEYS sed -i '\$d' \$key; done"
    b keys-junk all new hostkey-corrupt "$KEYS head -c 500 /dev/urandom >\$key; done"
    b keys-html all new hostkey-corrupt "$KEYS echo '<html>403</html>' >\$key; done"
    b keys-crlf all kept hostkey-wrapped "$KEYS sed -i 's/\$/\\r/' \$key; done"
    b keys-bom all kept hostkey-wrapped "$KEYS sed -i '1s/^/\\xEF\\xBB\\xBF/' \$key; done"
    b keys-blank-first all kept hostkey-wrapped "$KEYS sed -i '1s/^/\\n/' \$key; done"
    b keys-no-newline all kept hostkey-wrapped "$KEYS truncate -s -1 \$key; done"
    b keys-encrypted all new hostkey-encrypted "$KEYS ssh-keygen -q -p -P '' -N secret -f \$key; done"
    b keys-swapped all kept hostkey-wrapped "$KEYS mv \$key s; mv \$key.pub \$key; mv s \$key.pub; chmod 600 \$key; done"
    b keys-pub-in-private all new hostkey-corrupt "$KEYS cat \$key.pub >\$key; done"
    b keys-pem none kept - "$KEYS [ \$key = etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -p -m PEM -P '' -N '' -f \$key; done" fine
    b keys-pkcs8 none kept - "$KEYS [ \$key = etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -p -m PKCS8 -P '' -N '' -f \$key; done" fine

    # host keys: missing
    b keys-private-deleted all new hostkey-missing 'rm etc/ssh/ssh_host_*_key'
    b keys-all-deleted all new hostkey-missing 'rm etc/ssh/ssh_host_*'
    b keys-one-deleted type new hostkey-missing 'rm etc/ssh/ssh_host_ed25519_key etc/ssh/ssh_host_ed25519_key.pub'
    b keys-moved-bak all kept hostkey-missing "$KEYS mv \$key \$key.bak; done"
    b keys-moved-root all kept hostkey-missing 'mv etc/ssh/ssh_host_*_key root/'
    b keys-moved-old all kept hostkey-missing 'mkdir etc/ssh/old; mv etc/ssh/ssh_host_*_key etc/ssh/old/'
    b keys-deleted-backup all kept hostkey-missing 'mkdir var/backups/ssh; cp -p etc/ssh/ssh_host_*_key var/backups/ssh/; rm etc/ssh/ssh_host_*_key'
    b keys-pub-missing none kept hostkey-pub-missing 'rm etc/ssh/*.pub'
    b keys-pub-foreign none kept hostkey-pub-mismatch 'cat root/.ssh/authorized_keys >etc/ssh/ssh_host_ed25519_key.pub'
    b keys-pub-empty none kept hostkey-pub-missing ': >etc/ssh/ssh_host_rsa_key.pub'
    b keys-configured-elsewhere all kept hostkey-missing 'mkdir etc/ssh/keys; for t in rsa ecdsa ed25519; do echo "HostKey /etc/ssh/keys/ssh_host_${t}_key" >>etc/ssh/sshd_config; cp etc/ssh/ssh_host_${t}_key.pub etc/ssh/keys/; done'
    b keys-mixed all new hostkey-missing 'truncate -s 200 etc/ssh/ssh_host_ecdsa_key; rm etc/ssh/ssh_host_ed25519_key; chmod 777 etc/ssh/ssh_host_rsa_key'

    # sshd_config: lines that this sshd refuses
    b config-typo all kept config-unknown-option 'echo "PermitRootLogn yes" >>etc/ssh/sshd_config'
    b config-unknown all kept config-unknown-option 'echo "FooBar yes" >>etc/ssh/sshd_config'
    b config-client-option all kept config-unknown-option 'echo "ForwardAgent yes" >>etc/ssh/sshd_config'
    b config-el-option all kept config-unknown-option 'echo "ShowPatchLevel no" >>etc/ssh/sshd_config'
    b config-no-space all kept config-unknown-option 'echo "PasswordAuthenticationyes" >>etc/ssh/sshd_config'
    b config-value-root all kept config-bad-value 'sed -i "1iPermitRootLogin maybe" etc/ssh/sshd_config'
    b config-value-flag all kept config-bad-value 'echo "PubkeyAuthentication on" >>etc/ssh/sshd_config'
    b config-value-port all kept config-bad-value 'echo "Port 99999" >>etc/ssh/sshd_config'
    b config-value-missing all kept config-bad-value 'echo "Port" >>etc/ssh/sshd_config'
    b config-value-time all kept config-bad-value 'echo "LoginGraceTime soon" >>etc/ssh/sshd_config'
    b config-value-number all kept config-bad-value 'echo "MaxAuthTries many" >>etc/ssh/sshd_config'
    b config-value-address all kept config-bad-value 'echo "ListenAddress 300.1.2.3" >>etc/ssh/sshd_config'
    b config-value-startups all kept config-bad-value 'echo "MaxStartups 10:30" >>etc/ssh/sshd_config'
    b config-value-log all kept config-bad-value 'echo "LogLevel LOUD" >>etc/ssh/sshd_config'
    b config-value-facility all kept config-bad-value 'echo "SyslogFacility SECURE" >>etc/ssh/sshd_config'
    b config-value-extra all kept config-bad-value 'echo "StrictModes yes please" >>etc/ssh/sshd_config'
    b config-value-quote all kept config-bad-value "echo 'Banner \"/etc/issue' >>etc/ssh/sshd_config"
    b config-hostkey-none all kept config-bad-value 'echo "HostKey none" >>etc/ssh/sshd_config'
    b config-cipher-gone all kept config-bad-algorithm 'echo "Ciphers aes256-ctr,arcfour" >>etc/ssh/sshd_config'
    b config-ciphers-gone all kept config-bad-algorithm 'echo "Ciphers arcfour,blowfish-cbc" >>etc/ssh/sshd_config'
    b config-cipher-typo all kept config-bad-algorithm 'echo "Ciphers aes265-ctr,aes128-ctr" >>etc/ssh/sshd_config'
    b config-mac-gone all kept config-bad-algorithm 'echo "MACs hmac-ripemd160,hmac-sha2-256" >>etc/ssh/sshd_config'
    b config-kex-unknown all kept config-bad-algorithm 'echo "KexAlgorithms curve25519-sha256,curve448-sha512" >>etc/ssh/sshd_config'
    b config-hostkeyalg-unknown all kept config-bad-algorithm 'echo "HostKeyAlgorithms ssh-ed25519,ssh-ed448,rsa-sha2-512,ecdsa-sha2-nistp256" >>etc/ssh/sshd_config'
    b config-pubkeyalg-unknown all kept config-bad-algorithm 'echo "PubkeyAcceptedKeyTypes ssh-ed25519,ssh-x" >>etc/ssh/sshd_config'
    b config-no-common-key all kept config-no-common-key 'echo "HostKeyAlgorithms ssh-ed25519-cert-v01@openssh.com" >>etc/ssh/sshd_config'
    b config-authorized-command all kept config-bad-value 'echo "AuthorizedKeysCommand /usr/bin/true" >>etc/ssh/sshd_config'
    b config-misplaced all kept config-misplaced 'printf "Match User bob\n X11Forwarding no\nPort 22\n" >>etc/ssh/sshd_config'
    b config-misplaced-pam all kept config-misplaced 'sed -i "/^UsePAM/d" etc/ssh/sshd_config; printf "Match User bob\n X11Forwarding no\nUsePAM yes\n" >>etc/ssh/sshd_config'
    b config-match-unknown all kept config-bad-match 'printf "Match Elephants yes\n PasswordAuthentication no\n" >>etc/ssh/sshd_config'
    b config-match-empty all kept config-bad-match 'printf "Match\n PasswordAuthentication no\n" >>etc/ssh/sshd_config'
    b config-match-address all kept config-bad-match 'printf "Match Address 10.0.0.0/99\n PasswordAuthentication no\n" >>etc/ssh/sshd_config'
    b config-dropin all kept config-unknown-option 'echo "Protocl 2" >etc/ssh/sshd_config.d/99-local.conf'
    b config-dropin-value all kept config-bad-value 'echo "UsePAM perhaps" >etc/ssh/sshd_config.d/99-local.conf'
    b config-include-dangling all kept config-include 'ln -s /opt/gone.conf etc/ssh/sshd_config.d/50-gone.conf'
    b config-include-loop all kept config-include 'echo "Include /etc/ssh/sshd_config.d/*.conf" >etc/ssh/sshd_config.d/50-loop.conf'
    b config-two-faults all kept config-bad-algorithm 'printf "Foo yes\nCiphers arcfour\n" >>etc/ssh/sshd_config'

    # sshd_config: the file as a whole
    b config-deleted all kept config-missing 'rm etc/ssh/sshd_config'
    b config-deleted-copies all kept config-missing 'rm etc/ssh/sshd_config usr/share/openssh/sshd_config*'
    b config-renamed all kept config-missing 'mv etc/ssh/sshd_config etc/ssh/sshd_config.bak; rm usr/share/openssh/sshd_config'
    b config-empty none kept config-empty ': >etc/ssh/sshd_config'
    b config-bom all kept config-encoding 'sed -i "1s/^/\xEF\xBB\xBF/" etc/ssh/sshd_config'
    b config-merge all kept config-encoding 'printf "<<<<<<< HEAD\nPort 22\n=======\nPort 2222\n>>>>>>> x\n" >>etc/ssh/sshd_config'
    b config-crlf none kept - 'sed -i "s/$/\r/" etc/ssh/sshd_config' fine
    b config-world-writable none kept config-open 'chmod 666 etc/ssh/sshd_config'
    b config-owner none kept config-owner 'chown 1000:1000 etc/ssh/sshd_config'

    # what else sshd needs
    b privsep-user all kept privsep-user-missing 'sed -i /^sshd:/d etc/passwd'
    b privsep-user-shadow all kept privsep-user-missing 'sed -i /^sshd:/d etc/passwd etc/shadow'
    b sshd-mode all kept sshd-not-executable 'chmod 600 usr/sbin/sshd'
    b sshd-mode-644 all kept sshd-not-executable 'chmod 644 usr/sbin/sshd'
    b sshd-world-writable none kept sshd-open 'chmod 777 usr/sbin/sshd'
    b sshd-owner none kept sshd-owner 'chown 1000:1000 usr/sbin/sshd'
    b library-link all kept sshd-library-missing 'rm lib/x86_64-linux-gnu/libz.so.1'
    b library-cache all kept sshd-library-cache 'mkdir opt/lib; mv lib/x86_64-linux-gnu/libz.so.1* opt/lib/; echo /opt/lib >etc/ld.so.conf.d/opt.conf; rm -f etc/ld.so.cache'
    b library-cache-cut all kept sshd-library-cache 'mkdir opt/lib; mv lib/x86_64-linux-gnu/libz.so.1* opt/lib/; echo /opt/lib >etc/ld.so.conf.d/opt.conf; truncate -s 100 etc/ld.so.cache'
    b library-link-audit all kept sshd-library-missing 'rm lib/x86_64-linux-gnu/libaudit.so.1'
    b library-modes user kept login-program-closed 'chmod 600 lib/x86_64-linux-gnu/libc.so.6'
    b loader-mode all kept sshd-not-executable 'chmod 600 lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'
    b pam-deleted all kept login-pam-missing 'rm etc/pam.d/sshd; rm etc/pam.d/other'
    b pam-empty all kept login-pam-missing ': >etc/pam.d/sshd; printf "auth required pam_deny.so\naccount required pam_deny.so\nsession required pam_deny.so\n" >etc/pam.d/other'
    b nologin user kept login-nologin 'echo maintenance >etc/nologin'
    b hosts-deny-all all kept login-hosts-deny 'echo "ALL: ALL" >>etc/hosts.deny'
    b hosts-deny-sshd all kept login-hosts-deny 'echo "sshd: ALL" >>etc/hosts.deny'
    b shell-user user kept login-shell 'sed -i "/^alice/s,/bin/bash,/bin/zsh," etc/passwd'
    b shell-root none kept login-shell 'sed -i "/^root/s,/bin/bash,/usr/bin/fish," etc/passwd'
    b shell-mode user kept login-program-closed 'chmod 700 bin/bash'
    b revoked-keys all kept login-keys-revoked 'echo "RevokedKeys /etc/ssh/revoked" >>etc/ssh/sshd_config'
    b moduli-open none kept moduli-open 'chmod 666 etc/ssh/moduli'
    b moduli-deleted none kept - 'rm etc/ssh/moduli' fine

    # the way to the user's keys
    b home-777 user kept login-open 'chmod 777 home/alice'
    b ssh-dir-777 user kept login-open 'chmod 777 home/alice/.ssh'
    b authorized-666 user kept login-open 'chmod 666 home/alice/.ssh/authorized_keys'
    b authorized-root user kept login-owner 'chown 0:0 home/alice/.ssh/authorized_keys; chmod 600 home/alice/.ssh/authorized_keys'
    b home-owner user kept login-owner 'chown -R 1001:1001 home/alice'
    b ssh-dir-root user kept login-owner 'chown 0:0 home/alice/.ssh home/alice/.ssh/authorized_keys'
    b ssh-dir-600 user kept login-closed 'chmod 600 home/alice/.ssh'
    b root-dir-777 none kept login-open 'chmod 777 root root/.ssh'
    b authorized-bom user kept login-keys-damaged 'sed -i "1s/^/\xEF\xBB\xBF/" home/alice/.ssh/authorized_keys'
    b authorized-crlf none kept - 'sed -i "s/$/\r/" home/alice/.ssh/authorized_keys' fine
    b home-closed user kept fs-closed 'chmod 700 home'
    b root-closed user kept fs-closed 'chmod 700 .'
    b etc-closed user kept fs-closed 'chmod 700 etc'
    b usr-bin-closed user kept fs-closed 'chmod 700 usr/bin'

    # accidents over whole trees
    b tree-777 all kept fs-tree-modes 'chmod -R 777 .'
    b tree-etc-777 all kept hostkey-open 'chmod -R 777 etc'
    b tree-etc-600 user kept fs-closed 'chmod -R 600 etc'
    b tree-etc-owner none kept login-file-owner 'chown -R 1000:1000 etc'
    b tree-home-777 all kept login-open 'chmod -R 777 home root'
    b tree-home-root user kept login-owner 'chown -R 0:0 home'
    b tree-usr-sbin-600 all kept sshd-not-executable 'chmod -R 600 usr/sbin'

    # what starts it
    b service-disabled boot kept service-disabled 'rm etc/systemd/system/multi-user.target.wants/ssh.service; rm -f etc/rc?.d/S*ssh'
    b service-masked boot kept service-masked 'ln -s /dev/null etc/systemd/system/ssh.service'
    b service-masked-empty boot kept service-masked ': >etc/systemd/system/ssh.service'
    b service-unit-deleted boot kept service-missing 'rm lib/systemd/system/ssh.service etc/init.d/ssh etc/rc?.d/*ssh'
    b service-not-to-be-run boot kept service-blocked ': >etc/ssh/sshd_not_to_be_run'
    b service-rescue boot kept service-target 'ln -sf /lib/systemd/system/rescue.target etc/systemd/system/default.target'

    # harmless: nothing is to be said or done
    b fine-keygen none kept - 'ssh-keygen -A -f . >/dev/null' fine
    b fine-hardened none kept - 'printf "Ciphers aes256-gcm@openssh.com,aes256-ctr\nMACs hmac-sha2-512-etm@openssh.com,hmac-sha2-512\nKexAlgorithms curve25519-sha256\nAllowUsers root alice\nMaxAuthTries 3\nX11Forwarding no\n" >etc/ssh/sshd_config.d/10-hardened.conf' fine
    b fine-deprecated none kept - 'echo "UsePrivilegeSeparation sandbox" >>etc/ssh/sshd_config' fine
    b fine-banner none kept - 'echo "Banner /etc/no-such-banner" >>etc/ssh/sshd_config' fine
    b fine-cloud-init none kept - 'mkdir -p etc/cloud/cloud.cfg.d usr/lib/systemd/system; echo "users: [default]" >etc/cloud/cloud.cfg; echo "datasource_list: [ None ]" >etc/cloud/cloud.cfg.d/90_dpkg.cfg' fine
    b fine-umask none kept - 'chmod 600 etc/ssh/sshd_config etc/ssh/moduli etc/ssh/*.pub' fine

    # beyond what can be mended from outside
    b left-sshd-deleted left kept sshd-missing 'rm usr/sbin/sshd'
    b left-library-deleted left kept sshd-library-missing 'rm lib/x86_64-linux-gnu/libz.so.1*'
    b left-methods left kept config-bad-value 'echo "AuthenticationMethods telepathy" >>etc/ssh/sshd_config'
    b left-pam-stack left kept login-pam-include 'rm etc/pam.d/common-auth'
}
