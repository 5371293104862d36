// Pause is the only program of a pod's sandbox image: it holds the pod's namespaces, reaps what is orphaned in them where
// the process namespace is shared, and ends at once when asked to. The stock image can't be had without a registry.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const version = "1.0"

func main() {
	if len(os.Args) > 1 && (os.Args[1] == "--version" || os.Args[1] == "-v") {
		fmt.Println("pause", version)
		return
	}
	children := make(chan os.Signal, 1)
	ends := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	for {
		reap()
		select {
		case <-children:
		case <-ends:
			return
		}
	}
}

// reap collects every dead child; one SIGCHLD may stand for several.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if pid <= 0 || err != nil {
			return
		}
	}
}
