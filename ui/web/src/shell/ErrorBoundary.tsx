import { Component, type ErrorInfo, type ReactNode } from "react";
import { Button } from "../ui/Button";
import { ErrorState } from "../ui/Feedback";

/** A page that fails does not take the shell with it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error("page failed", error, info.componentStack);
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="flex h-full flex-col items-center justify-center p-6">
        <h1 className="text-lg font-semibold">This page could not be shown</h1>
        <ErrorState error={error} retry={() => this.setState({ error: null })} className="py-4" />
        <Button kind="ghost" onClick={() => window.location.reload()}>Reload everything</Button>
      </div>
    );
  }
}
