// JavaUnread.java - a process is waited for before anybody reads its output, which is more than a pipe takes.
// SPDX-License-Identifier: MIT
// expect: deadlock stuck
// restless: a virtual machine works for itself now and then
// source: enso-org/enso#9549, yegor256/jaxec#165, javalite/javalite#710
class JavaUnread {
    public static void main(String[] args) throws Exception {
        Process p = new ProcessBuilder("sh", "-c", "head -c 200000 /dev/zero").start();
        p.waitFor();
        System.out.println(p.getInputStream().readAllBytes().length);
    }
}
